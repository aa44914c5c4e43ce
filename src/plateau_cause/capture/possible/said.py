"""What to do about a change that helps, and why: of each intervention whose cause says it less plainly."""

# what stands out, or intervention -> repair, explanation
SAID = {
    "logits_to_loss": (
        "Give the loss what it expects: plain outputs for cross-entropy, log-probabilities for nll_loss",
        "What the loss is given was activated before, or is not: it rewards the right answer too little.",
    ),
    "no_clipping": (
        "Clip at a limit that most gradients stay below, 1 say, or not at all",
        "Nearly all of every gradient is cut off, so that no step moves the weights.",
    ),
    "clear_gradients": (
        "Clear the gradients before every step",
        "Each step is taken along the sum of all gradients since the beginning.",
    ),
    "keep_gradients": (
        "Clear the gradients behind the step, not between backward and step",
        "The gradients are gone before the step that was to use them.",
    ),
    "take_steps": (
        "Call step() of the optimizer behind every backward call",
        "Gradients are computed, and nothing is done with them.",
    ),
    "keep_loaded": (
        "Initialise new layers alone, or before the weights are loaded",
        "What was loaded is written over before training begins: it starts from random numbers.",
    ),
    "rates_level": (
        "Give these layers a rate that moves them: a tenth of the others', say",
        "A group of the optimizer has so low a rate that its layers stand still, as if they were frozen.",
    ),
    "callback_turned": (
        "Set its `mode` to the direction of its metric: max for an accuracy, min for a loss",
        "It stops, or keeps weights, at the worst epoch instead of the best.",
    ),
    "rate_full": (
        "Let the warm-up end within the first tenth of the training",
        "The rate is a small part of the one that was asked for, for most of the training.",
    ),
    "plain_loss": (
        "Weigh classes by their rarity and smooth labels a little, or not at all",
        "One class counts so much in the loss, or the right one so little, that the rest is not learned.",
    ),
    "whole_passes": (
        "Take out the line that leaves the loop: of a trial, perhaps",
        "Every epoch trains on its first batches alone.",
    ),
    "classes_drawn_apart": (
        "Draw all images alike, or weigh them by how rare their class is",
        "By the weights of the sampler one class is drawn far more often than another.",
    ),
    "read_more": (
        "Train on all images of the data set",
        "Training reads a part of its images, and nothing else reads the others. The run that shows what "
        "these are worth has at most three times as many.",
    ),
    "labels_by_folder": (
        "Keep images and labels together: sort, shuffle and filter them as pairs",
        "Images carry the labels of others: there is nothing that could be learned and holds for new ones.",
    ),
    "evaluation_mode": (
        "Evaluate in evaluation mode",
        "While the model is judged, its batch norms follow the batch at hand or its dropouts drop features, "
        "as they should in training only.",
    ),
    "evaluate_trained": (
        "Evaluate the weights that were trained, or have their average follow faster",
        "What is judged is a copy of the model that still holds most of the weights from before training.",
    ),
    "evaluation_as_training": (
        "Show evaluation what training sees of an image, without its random changes",
        "The images that the model is judged on are cut out or lose their colours; those of training do not.",
    ),
    "training_sees_part": (
        "Crop less: a quarter of the image at least",
        "Most crops show nothing of what the image is of.",
    ),
    "evaluation_clean": (
        "Evaluate without random changes",
        "The images that the model is judged on are cropped, turned or coloured at random, as those of "
        "training are: it is judged on harder ones than it will be given.",
    ),
    "train_mode": (
        "Train in training mode",
        "While the model trains, its batch norms keep the statistics that they came with and its dropouts "
        "drop nothing, as they should in evaluation only.",
    ),
}
