"""Every trap of effects: what is changed, what may share memory, which state outside variables is used."""

import pytest

from facts_of import changed, facts_of, last, names, statements_of, tokens

PANDAS = "import pandas as pd\ndf = pd.read_csv('a.csv')"
NUMPY = "import numpy as np\na = np.zeros(3)"


def aliases(statement):
    return {(alias["target"], alias["source"], alias["kind"]) for alias in statement["aliases"]}


@pytest.mark.parametrize(
    "cell",
    ["df['b'] = 1", "df.b = 1", "df.loc[0, 'b'] = 1", "df.iloc[0] = 1", "df.drop(columns='a', inplace=True)", "df.pop('a')", "df.insert(0, 'z', 1)", "del df['a']", "df['a'] += 1", "df.columns = ['x']", "df.at[0, 'a'] = 2", "df.sort_values('a', inplace=True)"],
)
def test_changes_of_a_frame_are_certain(cell):
    assert changed(last(PANDAS, cell)) == ["df"]


@pytest.mark.parametrize(
    "cell",
    ["g = df.groupby('a').mean()", "df.head()", "x = df.drop(columns='a')", "x = df.sort_values('a', inplace=False)", "df.query('a > 1')", "df.plot()", "n = len(df)", "print(df)", "m = df.merge(df, on='a')", "x = pd.concat([df, df])", "df.to_csv('out.csv')", "x = df['a'].str.lower().value_counts()"],
)
def test_what_computes_a_new_frame_changes_nothing(cell):
    found = last(PANDAS, cell)
    assert changed(found) == [] and changed(found, certain=False) == []


def test_inplace_on_a_selected_column_depends_on_the_version():
    found = last(PANDAS, "df['a'].fillna(0, inplace=True)")
    assert names(found["mutations"]) == ["df"]


@pytest.mark.parametrize("cell", ["xs.append(1)", "xs.sort()", "xs += [1]", "xs.pop()", "xs.extend(y)", "xs[0] = 1", "xs.insert(0, 1)"])
def test_changes_of_a_list(cell):
    assert changed(last("xs = [3, 1]", cell)) == ["xs"]


def test_augmented_assignment_changes_a_list_and_rebinds_a_number():
    assert changed(last("xs = []", "xs += [1]")) == ["xs"]
    assert last("n = 0", "n += 1")["mutations"] == []
    assert last("xs = []", "xs = xs + [1]")["mutations"] == []


@pytest.mark.parametrize("cell", ["d.update(a=1)", "d.setdefault('a', 1)", "d['k'] = 1", "d.pop('k')", "s.add(1)"])
def test_changes_of_dicts_and_sets(cell):
    assert changed(last("d = {}\ns = set()", cell))


def test_next_consumes_its_iterator():
    assert changed(last("it = iter([1])", "x = next(it)")) == ["it"]


def test_shuffle_changes_its_argument_and_draws():
    found = last(NUMPY, "np.random.shuffle(a)")
    assert changed(found) == ["a"]
    assert ("rng:np", "write") in tokens(found)


def test_fit_changes_the_model_and_returns_it():
    found = last("from sklearn.linear_model import LinearRegression\nm = LinearRegression()", "m2 = m.fit(X, y)")
    assert changed(found) == ["m"]
    assert ("m2", "m", "same") in aliases(found)
    assert "X" not in names(found["mutations"])


def test_predict_changes_nothing():
    found = last("from sklearn.linear_model import LinearRegression\nm = LinearRegression()", "p = m.predict(X)")
    assert found["mutations"] == []


def test_unknown_calls_are_assumed_to_change_what_they_get():
    found = last("import obscure", PANDAS, "r = obscure.work(df)")
    assert changed(found) == [] and changed(found, certain=False) == ["df"]


def test_unknown_statements_on_a_module_may_be_settings():
    assert ("cfg:obscure", "write") in tokens(last("import obscure", "obscure.configure(3)"))


def test_immutable_values_are_never_changed():
    found = last("import obscure\nn = 3\ns = 'x'", "obscure.work(n, s)")
    assert found["mutations"] == []


def test_functions_that_change_their_argument_are_followed():
    found = last(PANDAS, "def clean(d):\n    d['x'] = 1\n    return d", "out = clean(df)")
    assert changed(found) == ["df"]
    assert ("out", "df", "maybe") in aliases(found)


def test_functions_that_copy_first_change_nothing():
    found = last(PANDAS, "def clean(d):\n    d = d.copy()\n    d['x'] = 1\n    return d", "out = clean(df)")
    assert changed(found) == [] and names(found["mutations"]) == []


def test_changes_through_a_local_name_reach_the_argument():
    fact = last("def f(d):\n    e = d\n    e['x'] = 1")["definitions"][0]
    assert fact["mutatesParameters"] == [0]


def test_functions_are_read_again_with_the_types_of_the_call():
    found = last(PANDAS, "def late(d):\n    return d[d.a > 1]", "x = late(df).groupby('a').size()")
    assert found["mutations"] == []
    assert "pandas.Series" in found["bindTypes"]["x"]


def test_recursive_functions_end():
    found = last("def f(x):\n    return f([x])\ny = f([1])")
    assert found["binds"] == ["y"]


def test_methods_of_the_notebooks_classes_are_followed():
    source = "class C:\n    def __init__(self): self.n = 0\n    def grow(self): self.n += 1\n    def look(self): return self.n"
    assert changed(last(source, "c = C()", "c.grow()")) == ["c"]
    assert last(source, "c = C()", "x = c.look()")["mutations"] == []


def test_hooked_attributes_make_no_claim():
    source = "class C:\n    def __setattr__(self, k, v): pass\n    def look(self): return 1"
    assert names(last(source, "c = C()", "c.x = 1")["mutations"]) == ["c"]


@pytest.mark.parametrize(
    ("cell", "kind"),
    [("b = df", "same"), ("b = df['a']", "view"), ("b = df[['a']]", "maybe"), ("b = df[df.a > 1]", "maybe"), ("b = df.values", "view"), ("b = df if x else None", "maybe"), ("b = (df, 1)", "maybe"), ("b = {'k': df}", "maybe")],
)
def test_what_may_share_memory_with_a_frame(cell, kind):
    assert ("b", "df", kind) in aliases(last(PANDAS, cell))


@pytest.mark.parametrize("cell", ["b = df.copy()", "b = df.groupby('a').sum()", "b = len(df)", "b = df.shape", "b = str(df)", "b = df.a.mean() > 3"])
def test_what_shares_nothing_with_a_frame(cell):
    assert not {alias for alias in aliases(last(PANDAS, cell)) if alias[2] != "maybe"}


@pytest.mark.parametrize("cell", ["b = a[1:]", "b = a.T", "b = a.ravel()", "b = a.reshape(3, 1)", "b = a[0]"])
def test_views_of_arrays(cell):
    assert ("b", "a", "view") in aliases(last(NUMPY, cell))


def test_selecting_by_a_mask_copies_an_array():
    assert ("b", "a", "maybe") in aliases(last(NUMPY, "b = a[a > 1]"))


def test_chained_targets_are_one_object():
    assert ("b", "a", "same") in aliases(last("a = b = []"))


def test_changes_of_loop_items_reach_the_list():
    assert changed(last("ds = [{}, {}]", "for d in ds:\n    d['x'] = 1")) == ["d", "ds"]


def test_drawing_in_a_loop_reaches_all_axes():
    found = last("import matplotlib.pyplot as plt\nfig, axes = plt.subplots(2)", "for ax in axes:\n    ax.set_title('x')")
    assert "axes" in names(found["mutations"])
    assert ("figure", "write") in tokens(found)


def test_callbacks_that_change_their_items_are_seen():
    found = last("ds = [{}]", "list(map(lambda d: d.update(a=1), ds))")
    assert "ds" in names(found["mutations"])


def test_queries_read_names_in_strings():
    assert "limit" in names(last(PANDAS + "\nlimit = 3", "x = df.query('a > @limit')")["reads"])
    assert "df" in names(last("import duckdb", PANDAS, "x = duckdb.sql('select * from df').df()")["reads"])


def test_formulas_read_names():
    found = last("import numpy as np\nimport statsmodels.formula.api as smf", PANDAS, "m = smf.ols('y ~ np.log(x)', data=df)")
    assert "np" in names(found["reads"])


def test_eval_and_exec_of_literals_are_read():
    found = last("a = 1", "b = eval('a + 1')")
    assert "a" in names(found["reads"]) and "eval" in found["dynamic"]
    assert "c" in last("exec('c = 1')")["binds"]


@pytest.mark.parametrize(
    ("cell", "token"),
    [
        ("x = pd.read_csv('data/a.csv')", ("file:data/a.csv", "read")),
        ("x = pd.read_csv(DIR + '/a.csv')", ("file:data/a.csv", "read")),
        ("x = pd.read_csv(os.path.join(DIR, 'a.csv'))", ("file:data/a.csv", "read")),
        ("x = pd.read_csv(f'{DIR}/{year}.csv')", ("file:data/*.csv", "read")),
        ("x = pd.read_csv(Path(DIR) / 'a.csv')", ("file:data/a.csv", "read")),
        ("x = pd.read_csv('https://example.org/a.csv')", ("net:example.org", "read")),
        ("open('o.txt', 'w').write('x')", ("file:o.txt", "write")),
        ("x = open('i.txt').read()", ("file:i.txt", "read")),
        ("df.to_csv('o.csv')", ("file:o.csv", "write")),
        ("os.chdir('/x')", ("cfg:cwd", "write")),
        ("os.environ['A'] = 'b'", ("cfg:environ", "write")),
        ("x = os.environ['A']", ("cfg:environ", "read")),
        ("sys.path.append('lib')", ("cfg:sys.path", "write")),
        ("pd.set_option('display.max_rows', 5)", ("cfg:pandas", "write")),
        ("pd.options.display.max_rows = 5", ("cfg:pandas", "write")),
        ("plt.rcParams['figure.dpi'] = 5", ("cfg:matplotlib", "write")),
        ("plt.style.use('ggplot')", ("cfg:matplotlib", "write")),
        ("warnings.filterwarnings('ignore')", ("cfg:warnings", "write")),
        ("plt.plot([1])", ("figure", "write")),
        ("x = time.time()", ("clock", "read")),
        ("x = datetime.datetime.now()", ("clock", "read")),
        ("x = np.random.rand(3)", ("rng:np", "write")),
        ("np.random.seed(0)", ("rng:np", "write")),
        ("x = random.random()", ("rng:py", "write")),
        ("x = df.sample(3)", ("rng:np", "write")),
        ("x = np.random.default_rng()", ("rng:entropy", "write")),
        ("x = os.listdir('.')", ("listing", "read")),
        ("df.to_sql('t', con)", ("world", "write")),
        ("r = requests.post('https://api.example.org/x')", ("world", "write")),
        ("x = pd.read_sql('select * from orders join items on 1', con)", ("table:items", "read")),
        ("print(1)", ("stdout", "write")),
    ],
)
def test_state_outside_variables(cell, token):
    imports = "import os, sys, time, random, datetime, warnings, requests\nimport numpy as np\nimport matplotlib.pyplot as plt\nfrom pathlib import Path\nDIR = 'data'\nyear = year_of()"
    assert token in tokens(last(imports, PANDAS, cell))


@pytest.mark.parametrize("cell", ["x = df.sample(3, random_state=1)", "x = np.random.default_rng(0)", "x = np.random.RandomState(seed=1)", "x = train_test_split(df, random_state=seed)"])
def test_seeded_draws_use_no_global_state(cell):
    found = last("import numpy as np\nfrom sklearn.model_selection import train_test_split\nseed = 3", PANDAS, cell)
    assert not [token for token in tokens(found) if token[0].startswith("rng:")]


def test_unseeded_estimators_draw_when_they_are_fitted():
    source = "from sklearn.ensemble import RandomForestClassifier as RF\nm = RF()"
    assert ("rng:np", "write") in tokens(last(source, "m.fit(X, y)"))
    assert ("rng:np", "write") not in tokens(last(source.replace("RF()", "RF(random_state=0)"), "m.fit(X, y)"))


def test_sorted_listings_have_an_order():
    assert ("listing", "read") not in tokens(last("import os", "x = sorted(os.listdir('.'))"))


def test_tokens_of_functions_are_late():
    fact = last("import pandas as pd", "def load():\n    return pd.read_csv('a.csv')")["definitions"][0]
    assert fact["lateTokens"][0]["token"] == "file:a.csv"


@pytest.mark.parametrize(
    ("cell", "why"), [("f = open('a')", "file"), ("z = zip(a, b)", "iterator"), ("g = (x for x in a)", "iterator"), ("c = sqlite3.connect(':memory:')", "connection"), ("r = csv.reader(f)", "iterator")]
)
def test_what_cannot_be_stored_is_named(cell, why):
    found = last("import sqlite3, csv", cell)
    assert why in next(iter(found["resources"].values()))


def test_removed_names_are_found_with_advice():
    assert last("import numpy as np", "x = np.float(3)")["outdated"][0]["name"] == "numpy.float"
    assert last("from sklearn.cross_validation import train_test_split")["outdated"]
    assert last(PANDAS, "x = df.append(df)")["outdated"][0]["name"] == "pandas.DataFrame.append"
    assert last(PANDAS, "x = df.ix[0]")["outdated"]
    assert last("from sklearn.linear_model import Ridge", "m = Ridge(normalize=True)")["outdated"]
    assert not last("import numpy as np", "x = np.float64(3)")["outdated"]


def test_habits():
    assert [habit["kind"] for habit in last("try:\n    f()\nexcept:\n    pass")["habits"]] == ["bare-except"]
    assert [habit["kind"] for habit in last(PANDAS, "df[df.a > 1]['b'] = 2")["habits"]] == ["chained-assignment"]
    assert [habit["kind"] for habit in last("import pandas as pd", "x = pd.read_sql(f'select * from t where a = {v}', con)")["habits"]] == ["formatted-sql"]
    assert [habit["kind"] for habit in last("s = {1, 2}", "for x in s:\n    print(x)")["habits"]] == ["set-iteration"]


def test_displays():
    assert facts_of("x = 1\nx")[0]["statements"][-1]["displays"] is True
    assert facts_of("x = 1\nx;")[0]["statements"][-1]["displays"] is False
    assert facts_of("x = 1\nx; # ;")[0]["statements"][-1]["displays"] is False
    assert facts_of("x = 1\n'a;'")[0]["statements"][-1]["displays"] is True
    assert facts_of("print(1)")[0]["statements"][-1]["displays"] is False


def test_scalars():
    scalars = [statement["scalar"] for statement in statements_of("from datetime import date", "A = 3\nB = -1.5\nC = 'x'\nD = True\nE = date(2020, 1, 2)\nF = [1]\nG = A\nH: int = 4")][1:]
    assert [scalar and scalar["type"] for scalar in scalars] == ["int", "float", "str", "bool", "date", None, None, "int"]


def test_origins_of_imports():
    imports = [fact for statement in statements_of("import os\nimport numpy as np\nimport nowhere_to_be_found\ntry:\n    import json\nexcept ImportError:\n    pass") for fact in statement["imports"]]
    assert [fact["origin"] for fact in imports] == ["stdlib", "numpy", None, "stdlib"]
    assert [fact["insideTry"] for fact in imports] == [False, False, False, True]


@pytest.mark.parametrize("cell", ["print(res.summary())", "res.pvalues", "print(res.bse.round(2))", "res.predict(x)"])
def test_results_of_statsmodels_may_keep_what_is_asked_of_them(cell):
    found = last("import statsmodels.api as sm\nres = sm.OLS(y, x).fit()", cell)
    assert "res" in changed(found, certain=False)
