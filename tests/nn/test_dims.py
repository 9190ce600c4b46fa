def test_the_grid_is_rows_by_columns(tiny_dims):
    dims = tiny_dims(img_size=[8, 24], patch_size=[4, 6], num_registers=2)
    assert dims.grid == (2, 4)
    assert dims.num_patches == 8
    assert dims.num_tokens == 8 + 1 + 2
