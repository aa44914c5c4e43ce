import numpy as np

from plateau_cause.features import neighbors


def test_nearest_matches_a_brute_force_search():
    generator = np.random.default_rng(0)
    queries, base = generator.normal(size=(7, 5)), generator.normal(size=(40, 5))
    found, similarity = neighbors.nearest(queries, base, 4)
    cosine = (queries @ base.T) / np.linalg.norm(queries, axis=1)[:, None] / np.linalg.norm(base, axis=1)
    np.testing.assert_array_equal(found, np.argsort(-cosine, axis=1)[:, :4])
    np.testing.assert_allclose(similarity, np.sort(cosine, axis=1)[:, ::-1][:, :4], atol=1e-5)


def test_blocks_give_the_same_as_one_piece(monkeypatch):
    x = np.random.default_rng(0).normal(size=(50, 6))
    whole = neighbors.nearest(x, x, 3, np.arange(50))
    monkeypatch.setattr(neighbors, "MOST_SIMILARITIES", 200)
    for one, other in zip(whole, neighbors.nearest(x, x, 3, np.arange(50)), strict=True):
        np.testing.assert_array_equal(one, other)


def test_a_row_is_not_its_own_neighbour_where_it_is_left_out():
    x = np.random.default_rng(0).normal(size=(20, 3))
    found, _ = neighbors.nearest(x, x, 19, np.arange(20))
    assert not (found == np.arange(20)[:, None]).any()
    assert (np.sort(found, axis=1)[0] == np.arange(1, 20)).all()


def test_k_is_capped_and_zero_rows_do_no_harm():
    found, similarity = neighbors.nearest(np.zeros((2, 3)), np.ones((3, 3)), 10)
    assert found.shape == (2, 3)
    assert np.isfinite(similarity).all()


def test_positions():
    assert neighbors.positions(np.array([5, 1, 9]), np.array([9, 5])).tolist() == [1, -1, 0]


def test_similarity_breaks_a_tie_of_votes():
    result = neighbors.votes(np.array([[0, 1, 1, 0]]), np.array([[0.5, 0.9, 0.8, 0.4]]), 3)
    assert result.argmax() == 1
