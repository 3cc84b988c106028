import pandas as pd

from assets.orders import orders_clean


def test_small_orders_are_left_out():
    orders = pd.DataFrame({"id": [1, 2], "day": ["2024-01-01"] * 2, "currency": ["EUR"] * 2, "total": [1.0, 9.0]})
    assert list(orders_clean(orders).id) == [2]
