"""Which of R2's two ways to fine-tune is better: small batches and a rate in steps, or large ones and a cosine?

(a) is the study's own, `r2_multistep`: SGD with a momentum of .95 in batches of 32, the head at 3e-4 and the rest at a
tenth of that, both a tenth from epoch 17 and again from 33, of 50; pictures padded and cropped. (b) is the official
fine-tuning, `r2_official`: a momentum of .9, batches of 512, 500 steps of warm-up and a cosine to 0, gradients cut at a
norm of 1, an Inception crop. The model is B/16 at 384 pixels with the dropout of (a) in both. CHECKPOINT is what Google
publishes of ImageNet-21k, or what `vitlab convert` makes of it; without it both begin from scratch, another question.

    vitlab study r2_recipes --set start.path=CHECKPOINT          12 runs, 1.5e19 FLOPs
    vitlab study r2_recipes:digits          12 runs, 5.9e11 FLOPs; the two schedules from scratch, for a laptop

Published is a table for neither beside the other; each recipe averaged three repeats.
"""

from vitlab.base.spec import plain
from vitlab.optim.schedule import cosine, multistep
from vitlab.recipes import changed, recipe
from vitlab.study.design import one_at_a_time
from vitlab.study.spec import StudySpec, choice

QUESTION = "Is fine-tuning with a rate that falls in steps worse than with warm-up and a cosine?"
SAYS = {"warm-up and cosine": "warm-up and a cosine instead of a rate that falls in steps"}


def study() -> StudySpec:
    """B/16 on CIFAR-10; each recipe at its own length."""
    base, official = recipe("r2_multistep:384_b16_cifar10"), recipe("r2_official")
    names = ("augment", "preprocess", "optim", "batch_size", "epochs", "steps")
    other = {name: plain(getattr(official, name)) for name in names}
    ways = choice("recipe", {"steps": {}, "warm-up and cosine": other}, says=SAYS)
    return StudySpec(QUESTION, base, one_at_a_time.Spec((ways,)), equal="nothing")


def digits() -> StudySpec:
    """The shapes of the rate alone, from scratch in the digits' small ViT."""
    base = changed(recipe("digits_small"), {"optim.schedule": plain(multistep.Spec(milestones=(3, 6)))})
    says = {"cosine": "a cosine instead of a rate that falls in steps"}
    ways = choice("schedule", {"steps": {}, "cosine": {"optim.schedule": plain(cosine.Spec())}}, says=says)
    return StudySpec(QUESTION, base, one_at_a_time.Spec((ways,)))
