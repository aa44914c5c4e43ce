"""fastai: ImageDataLoaders, a Learner, fine_tune: the head first, everything later."""
from fastai.vision.all import *
from torchvision.models import resnet18

set_seed(0)
dls = ImageDataLoaders.from_folder("data", train="train", valid="val", item_tfms=Resize(32), batch_tfms=aug_transforms(size=32), bs=8, num_workers=0, device="cpu")
body = create_body(resnet18(weights=None), pretrained=False, cut=-2)
learn = Learner(dls, nn.Sequential(body, create_head(512, 3)), loss_func=CrossEntropyLossFlat(), metrics=accuracy, splitter=lambda m: L(params(m[0]), params(m[1])))
with learn.no_bar(), learn.no_logging():
    learn.fine_tune(1, 2e-3, freeze_epochs=1)
    print(f"acc {learn.validate()[1]:.4f}")
