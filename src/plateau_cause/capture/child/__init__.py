"""What runs in the user's interpreter: imports torch, torchvision, numpy, Pillow, the standard library."""
