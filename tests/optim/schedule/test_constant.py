from vitlab.optim.schedule import constant


def test_the_base_rate_throughout(rates):
    assert rates(constant.Spec()) == [0.4] * 40


def test_the_minimum_does_not_show(rates):
    assert rates(constant.Spec(min_lr=0.1)) == [0.4] * 40
