"""One training loop and what it needs: inputs, model surgery, losses, optimizer."""
