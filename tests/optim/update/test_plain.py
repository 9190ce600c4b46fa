import torch

from vitlab.optim.update import plain


def test_the_gradient_is_asked_for_once_and_passed_on():
    asked, weights = [], [torch.ones(1, 2)]

    def gradient():
        asked.append(weights[0].clone())
        return [torch.tensor([[3.0, 4.0]])]

    (found,) = plain.Spec().gradient(gradient, weights, [1.0])
    assert torch.equal(found, torch.tensor([[3.0, 4.0]]))
    assert len(asked) == 1
    assert torch.equal(weights[0], torch.ones(1, 2))
