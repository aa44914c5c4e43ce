import numpy as np
import pytest

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
    monkeypatch.setattr(neighbors, "BLOCK", 200)
    for one, other in zip(whole, neighbors.nearest(x, x, 3, np.arange(50)), strict=True):
        np.testing.assert_array_equal(one, other)


def test_a_row_is_not_its_own_neighbour_where_it_is_left_out():
    x = np.random.default_rng(0).normal(size=(20, 3))
    found, _ = neighbors.nearest(x, x, 19, np.arange(20))
    assert not (found == np.arange(20)[:, None]).any()
    assert (np.sort(found, axis=1)[0] == np.arange(1, 20)).all()


def test_neighbours_of_a_whole_table_among_some_of_its_rows():
    x, base = np.random.default_rng(0).normal(size=(30, 4)), np.array([3, 7, 8, 20, 29])
    near = neighbors.nearest_in(x, base, 3)
    assert near.rows.shape == near.similarity.shape == (30, 3)
    assert np.isin(near.rows, base).all() and not (near.rows == np.arange(30)[:, None]).any()
    unit = neighbors.unit_rows(x)
    expected = [
        [b for b in np.argsort(-(unit @ unit[row]))[:] if b in base and b != row][:3] for row in range(30)
    ]
    np.testing.assert_array_equal(near.rows, expected)


@pytest.mark.parametrize("cpus", [1, 2, 3])
def test_the_number_of_processors_does_not_matter(cpus, monkeypatch):
    x = np.random.default_rng(0).normal(size=(400, 16))
    monkeypatch.setattr(neighbors, "BLOCK", 2000)
    one = neighbors.nearest(x, x, 5, np.arange(400))
    monkeypatch.setattr(neighbors, "available_cpus", lambda: cpus)
    for found, expected in zip(neighbors.nearest(x, x, 5, np.arange(400)), one, strict=True):
        np.testing.assert_array_equal(found, expected)


def test_k_is_capped_and_zero_rows_do_no_harm():
    found, similarity = neighbors.nearest(np.zeros((2, 3)), np.ones((3, 3)), 10)
    assert found.shape == (2, 3)
    assert np.isfinite(similarity).all()


def test_positions():
    assert neighbors.positions(np.array([5, 1, 9]), np.array([9, 5])).tolist() == [1, -1, 0]


def test_similarity_breaks_a_tie_of_votes():
    result = neighbors.votes(np.array([[0, 1, 1, 0]]), np.array([[0.5, 0.9, 0.8, 0.4]]), 3)
    assert result.argmax() == 1
