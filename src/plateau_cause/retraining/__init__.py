"""Scheduled retraining: today's model against the deployed one, and which of the two is deployed tomorrow.

python -m plateau_cause.retraining            # pull, reproduce, register, compare, promote what is better
python -m plateau_cause.retraining --help     # the parts of it that CI runs as separate jobs

What is deployed is the model of the recipe in params.yaml, `finetune@recipe`: the reference and the swapped
arms explain it, they never replace it. docs/retraining.md is for its users.
"""
