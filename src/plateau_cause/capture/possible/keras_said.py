"""What to do about a change of a Keras script that helps, and why, where its cause says it less plainly."""

# Intervention -> title, repair and explanation, where those of the cause do not fit.
SAID: dict[str, dict[str, str]] = {
    "labels_by_folder": {
        "title": "Labels are those of other images",
        "repair": "Keep images and labels together: sort, shuffle and filter them as pairs",
        "explanation": "Images carry the labels of others: nothing could be learned that holds for new ones.",
    },
    "whole_passes": {
        "title": "Epochs take a part of the batches",
        "repair": "Leave `steps_per_epoch` out, or set it to the number of batches",
        "explanation": "Every epoch trains on its first batches alone.",
    },
    "keep_loaded": {
        "title": "The loaded weights are in another model",
        "repair": "Train the model that the weights were loaded into, or copy them: "
                  "`model.set_weights(loaded.get_weights())`",
        "explanation": "A clone, or a network built a second time, has the layers and none of the values: "
                       "training starts from random numbers.",
    },
    "no_clipping": {
        "title": "Clipping leaves next to nothing of the gradient",
        "repair": "Leave `clipnorm` or `clipvalue` out, or set it to 1",
        "explanation": "Every step is as short as the limit allows, whatever the gradient asks for.",
    },
    "no_penalty": {
        "title": "A penalty pulls the weights to zero",
        "repair": "Give `kernel_regularizer` a factor of 1e-4, or leave it out",
        "explanation": "The loss is mostly the penalty of the weights, which it can lower without learning.",
    },
    "augmented_anew": {
        "title": "Augmented images are cached",
        "repair": "Call `cache` before the `map` that changes images at random",
        "explanation": "Chance changes every image once; all epochs see it so, as if nothing were augmented.",
    },
    "callback_turned": {
        "title": "A callback takes worse for better",
        "repair": "Set its `mode` to the direction of its metric: max for an accuracy, min for a loss",
        "explanation": "It stops, or keeps weights, at the worst epoch instead of the best.",
    },
    "rate_full": {
        "title": "The rate is never what was asked for",
        "repair": "Let the warm-up end within the first tenth of the training",
        "explanation": "The rate is a small part of the one that was asked for, for most of the training.",
    },
}  # fmt: skip
