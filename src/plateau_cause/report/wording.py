"""What each cause is called and means in plain words; a cause's own `title` and `explanation` come first."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple


class Words(NamedTuple):
    """A cause in plain words."""

    title: str
    repair: str  # short and imperative: a label of the waterfall
    explanation: str


WORDS = {
    "preprocessing": Words(
        "Preprocessing does not fit the weights",
        "Preprocess as expected",
        "The pretrained weights were made for inputs scaled and normalised in one particular way. They "
        "now see something else, so the features they compute carry less.",
    ),
    "resolution": Words(
        "Images are too small for this backbone",
        "Use a fitting resolution",
        "At this input size the backbone shrinks the image to almost nothing before its last layers.",
    ),
    "augmentation": Words(
        "Augmentation does not fit the task",
        "Adjust augmentation",
        "The random changes to the training images remove, or fail to teach, what tells the classes apart.",
    ),
    "frozen_layers": Words(
        "Frozen layers hold the features back",
        "Unfreeze the layers",
        "Only part of the network may learn. The rest keeps computing features made for other images, and "
        "no head can get more out of them.",
    ),
    "weights_not_loaded": Words(
        "The pretrained weights are not in the model",
        "Load the weights",
        "The backbone starts from random numbers instead of the pretrained weights, so nothing is "
        "transferred.",
    ),
    "batch_norm": Words(
        "Batch-norm statistics do not fit the data",
        "Fix batch norm",
        "What batch-norm layers do in training differs from what they do in evaluation, so the network is "
        "judged on activations that it was not trained on.",
    ),
    "head": Words(
        "The head limits what training can reach",
        "Fix the head",
        "Something between the features and the loss, such as an extra activation or heavy dropout, "
        "squeezes the outputs and weakens the gradient.",
    ),
    "loss_function": Words(
        "The loss does not reward the right answer",
        "Fix the loss",
        "The loss that training minimises does not fit what the model puts out, so a falling loss no "
        "longer means better predictions.",
    ),
    "optimizer_parameters": Words(
        "The optimizer does not hold what should learn",
        "Optimize what should learn",
        "Parameters that are meant to learn were never given to the optimizer. They stay as they were.",
    ),
    "learning_rate_low": Words(
        "The learning rate is too low",
        "Raise the learning rate",
        "Each step is too small for the parameters it moves: training ends long before they have arrived.",
    ),
    "learning_rate_high": Words(
        "The learning rate is too high",
        "Lower the learning rate",
        "Each step is too large: it overshoots, or destroys the pretrained features before they can help.",
    ),
    "training_length": Words(
        "Training stops at the wrong time",
        "Train as long as it pays",
        "The number of epochs does not fit: accuracy was still to change when training ended.",
    ),
    "regularization": Words(
        "Regularisation is too strong or too weak",
        "Adjust regularisation",
        "Weight decay, dropout or label smoothing pulls the model away from what the data say, or not "
        "enough.",
    ),
    "data_order": Words(
        "The data come in a harmful order",
        "Shuffle the data",
        "Without shuffling, whole stretches of training see only a few classes, and each one undoes the "
        "last.",
    ),
    "class_imbalance": Words(
        "A few classes crowd out the rest",
        "Correct the imbalance",
        "Most training images belong to few classes, so the model can do well in training and ignore the "
        "others.",
    ),
    "label_noise": Words(
        "Some labels are wrong",
        "Repair wrong labels",
        "A share of the training labels contradicts the images. The model spends its capacity on learning "
        "them, or is held back by them.",
    ),
    "limited_data": Words(
        "There are too few training images",
        "Add training images",
        "Training accuracy is high, held-out accuracy still rises with every image added: more data, not "
        "another recipe, moves it on.",
    ),
    "class_overlap": Words(
        "Some classes cannot be told apart",
        "Separate the classes",
        "Errors sit between a few pairs of classes whose images look alike to every model that was tried.",
    ),
    "feature_misalignment": Words(
        "The backbone knows a different kind of image",
        "Adapt the features",
        "The pretrained features were made for images unlike these. They need to be adapted in depth, or "
        "another backbone is needed.",
    ),
}


def words(cause: Mapping[str, Any]) -> Words:
    """Returns the plain words for an entry of the summary's `causes`, also for an unknown name."""
    name = str(cause["cause"])
    default = WORDS.get(name, Words(spoken(name).capitalize(), f"Fix {spoken(name)}", ""))
    return default._replace(
        title=cause.get("title") or default.title, explanation=cause.get("explanation") or default.explanation
    )


def spoken(name: str) -> str:
    """Returns a factor's or level's name as it is read aloud: "linear_probe" as "linear probe"."""
    return {"knn": "nearest neighbours", "linear_probe_canonical": "linear probe, expected inputs"}.get(
        name, name.replace("_", " ")
    )
