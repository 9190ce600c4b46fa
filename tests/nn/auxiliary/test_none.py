from vitlab.nn.auxiliary import none


def test_patches_go_on_as_they_are_and_nothing_is_added_to_the_loss(tiny_dims, normal):
    images, patches = normal(2, 3, 8, 12), normal(2, 6, 16)
    found = none.Spec().build(tiny_dims())(images, patches)
    assert found.patches is patches
    assert found.loss is None
