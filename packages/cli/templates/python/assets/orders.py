"""Orders and what they add up to."""
import pandas as pd
from cellmill import asset, check, param, report

MIN_TOTAL = param(5.0)


@asset
def orders_clean(orders: pd.DataFrame) -> pd.DataFrame:
    """One row per order of at least min_total."""
    return orders[orders.total >= MIN_TOTAL].reset_index(drop=True)


@check(orders_clean, severity="error")
def totals_are_positive(orders_clean: pd.DataFrame):
    return orders_clean[orders_clean.total <= 0]


@asset
def revenue(orders_clean: pd.DataFrame) -> pd.DataFrame:
    """Revenue per day and currency."""
    return orders_clean.groupby(["day", "currency"], as_index=False).total.sum()


@report
def revenue_summary(revenue: pd.DataFrame):
    print(revenue.groupby("currency").total.describe())
