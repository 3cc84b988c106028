"""What a unit does that its syntax tree alone does not settle: computed names, clocks, entropy, the world, random draws.

Names are compared in canonical dotted form, through the imports of the module and of the unit itself.
"""

from __future__ import annotations

import ast
import functools
import re

from .names import Aliases, chain_of
from .source import Source

_COMPUTED_NAMES = frozenset(
    "globals locals vars eval exec compile __import__ dir __builtins__ __doc__ __annotations__".split()
)
_COMPUTED_ATTRIBUTES = frozenset("__doc__ __subclasses__ __annotations__ __globals__ __code__ __builtins__".split())
_COMPUTED_PREFIXES = (
    "inspect.",
    "importlib.",
    "imp.",
    "runpy.",
    "gc.",
    "sys.modules",
    "sys._getframe",
    "sys.path",
    "sys.meta_path",
    "sys.settrace",
    "sys.setprofile",
    "builtins.",
    "unittest.mock.",
    "typing.get_type_hints",
    "pkgutil.iter_modules",
    "pkgutil.walk_packages",
    "pkgutil.resolve_name",
    "ast.get_source",
    "linecache.",
    "traceback.",
    "dis.",
    "ctypes.",
)
_COMPUTED_EXACT = frozenset("inspect importlib imp runpy gc builtins unittest.mock code codeop".split())
_NOT_COMPUTED = (
    "importlib.resources",
    "importlib.metadata",
    "importlib_resources",
    "traceback.print_exc",
    "traceback.format_exc",
)
_UNPICKLERS = frozenset(
    "pickle.load pickle.loads pickle.Unpickler cloudpickle.load cloudpickle.loads dill.load dill.loads joblib.load "
    "pandas.read_pickle torch.load shelve.open".split()
)
_ACCESSORS = frozenset(("getattr", "setattr", "delattr", "hasattr"))

# Longest prefix wins; a trailing dot means "anything below".
_VOLATILE: tuple[tuple[str, str], ...] = tuple(
    (prefix, kind)
    for kind, prefixes in {
        "clock": """datetime.datetime.now datetime.datetime.utcnow datetime.datetime.today datetime.date.today time.time
            time.time_ns time.localtime time.gmtime time.ctime time.strftime time.monotonic time.perf_counter
            time.monotonic_ns time.perf_counter_ns time.process_time pandas.Timestamp.now pandas.Timestamp.today
            pandas.Timestamp.utcnow arrow.now arrow.utcnow pendulum.now pendulum.today
            pendulum.yesterday pendulum.tomorrow email.utils.localtime django.utils.timezone.now""",
        "random": """os.urandom os.getrandom uuid.uuid1 uuid.uuid4 secrets. random.SystemRandom tempfile.mktemp""",
        "network": """requests. httpx. aiohttp. urllib.request. urllib3. http.client. socket. ftplib. smtplib. imaplib.
            poplib. telnetlib. xmlrpc.client. ssl. boto3. botocore. paramiko. websocket. websockets. psycopg. psycopg2.
            pymysql. sqlalchemy.create_engine google.cloud. azure. snowflake. redis. pymongo. kafka. openai. anthropic.
            yfinance. huggingface_hub. gspread. s3fs. gcsfs. seaborn.load_dataset sklearn.datasets.fetch_""",
        "environment": """os.environ os.environb os.getenv os.getcwd os.cpu_count os.uname os.getpid os.getlogin platform.
            socket.gethostname getpass. locale.getlocale locale.getdefaultlocale sys.argv sys.flags""",
        "file": """open io.open os.listdir os.scandir os.walk os.stat os.path.exists os.path.isfile os.path.isdir
            os.path.getmtime os.path.getsize glob. shutil. tempfile. sqlite3.connect""",
        "process": """subprocess. os.system os.popen os.fork os.execv os.execve os.execvp os.spawnl os.spawnv os.posix_spawn multiprocessing. pty. asyncio.create_subprocess""",
    }.items()
    for prefix in prefixes.split()
)
_FILE_METHODS = frozenset(("read_text", "read_bytes", "write_text", "write_bytes", "iterdir", "glob", "rglob"))
_DRAWS = (
    "random.",
    "numpy.random.",
    "torch.rand",
    "torch.normal",
    "torch.randperm",
    "torch.multinomial",
    "scipy.stats.",
)
_NO_DRAWS = frozenset(
    """random.seed random.Random random.SystemRandom random.getstate random.setstate numpy.random.seed
    numpy.random.default_rng numpy.random.Generator numpy.random.RandomState numpy.random.SeedSequence
    numpy.random.PCG64 numpy.random.MT19937 numpy.random.get_state numpy.random.set_state numpy.random.BitGenerator
    numpy.random.Philox numpy.random.SFC64""".split()
)
_GENERATORS = frozenset(
    """random.Random numpy.random.default_rng numpy.random.RandomState numpy.random.SeedSequence numpy.random.PCG64
    numpy.random.MT19937 numpy.random.Philox numpy.random.SFC64""".split()
)
_SEEDERS = frozenset(("random.seed", "numpy.random.seed"))
_WITH_RANDOM_STATE = re.compile(
    r"^sklearn\..*\.(train_test_split|shuffle|resample|make_\w+|KMeans|MiniBatchKMeans|\w*RandomForest\w*|ExtraTrees\w*"
    r"|\w*GradientBoosting\w*|DecisionTree\w*|MLP\w*|SGD\w*|TSNE|NMF|Bagging\w*|AdaBoost\w*|ShuffleSplit|Isolation\w+"
    r"|StratifiedShuffleSplit|RandomizedSearchCV|GaussianMixture|permutation_importance|ParameterSampler)$"
)
_NAMES_IN_TEXT = frozenset(("query", "eval"))
_SQL_METHODS = frozenset(("sql", "query", "execute", "executemany", "from_query", "table", "view"))
WORD = re.compile(r"[^\W\d]\w*")


class Uses:
    """Collected over one unit. `globals_` are the names the unit takes from its module or the builtins."""

    def __init__(self, source: Source, aliases: Aliases, globals_: set[str], modules: set[str]) -> None:
        self.source = source
        self.aliases = aliases
        self.globals = globals_
        # Top-level packages that the module imports, which decide how texts are read.
        self.modules = modules
        self.computed: list[list[object]] = []
        self.volatile: list[list[object]] = []
        self.draws: list[list[object]] = []
        # Chains that are read through texts or literal `getattr`.
        self.reads: set[str] = set()
        # Something may be imported that cannot be read here.
        self.dynamic = False
        # Modules imported by a literal name.
        self.imports: list[str] = []
        self._seen: set[tuple[int, str]] = set()
        # Functions called with a literal name.
        self._understood: set[int] = set()
        # Parts of longer chains, which are judged as a whole.
        self._inner: set[int] = set()

    def visit(self, nodes: list[ast.AST]) -> None:
        """`nodes` are those of the unit, callers before what they call."""
        for node in nodes:
            if isinstance(node, ast.Call):
                self._call(node)
            elif isinstance(node, (ast.Name, ast.Attribute)) and isinstance(node.ctx, ast.Load):
                self._reference(node)
            elif isinstance(node, (ast.Attribute, ast.Subscript)):
                self._store(node)

    def _dotted(self, node: ast.AST) -> str | None:
        chain = chain_of(node)
        return self.aliases.dotted(node) if chain is not None and chain[0] in self.globals else None

    def _reference(self, node: ast.Name | ast.Attribute) -> None:
        if isinstance(node, ast.Attribute) and node.attr in _COMPUTED_ATTRIBUTES:
            self._mark_computed(node, f".{node.attr}")
        if isinstance(node, ast.Attribute):
            self._inner.add(id(node.value))
        dotted = self._dotted(node)
        if dotted is None or id(node) in self._inner:
            return
        if dotted in _COMPUTED_NAMES or (dotted in _ACCESSORS and id(node) not in self._understood):
            self._mark_computed(node, dotted)
        elif not dotted.startswith(_NOT_COMPUTED) and (
            dotted.startswith(_COMPUTED_PREFIXES) or dotted in _COMPUTED_EXACT
        ):
            self._mark_computed(node, dotted)
        if dotted in ("__import__", "eval", "exec") or dotted.startswith(
            ("importlib.import_module", "runpy.", "sys.path")
        ):
            self.dynamic = self.dynamic or id(node) not in self._understood
        kind = _volatile_kind(dotted)
        # `random.seed()` and the like depend on arguments: see `_call`.
        if kind is not None and dotted not in _SEEDERS:
            self._mark_volatile(node, kind, dotted)

    def _store(self, node: ast.Attribute | ast.Subscript) -> None:
        dotted = self._dotted(node if isinstance(node, ast.Attribute) else node.value)
        if dotted is not None and dotted.startswith(("sys.modules", "sys.path")):
            self._mark_computed(node, dotted)

    def _call(self, node: ast.Call) -> None:
        dotted = self._dotted(node.func) or ""
        if dotted in _ACCESSORS:
            self._accessor(node, dotted)
        elif dotted in ("importlib.import_module", "__import__") and _is_text(node.args[:1]):
            self._understood.add(id(node.func))
            self.imports.append(str(node.args[0].value))  # type: ignore[attr-defined]
        elif dotted in _UNPICKLERS:
            # Loads any class by name, and with it any module.
            self._mark_computed(node, dotted)
            self.dynamic = True
        if isinstance(node.func, ast.Attribute):
            self._method(node, node.func)
        self._random(node, dotted)
        if dotted.startswith(("pandas.read_", "polars.read_", "polars.scan_")) and _is_text(node.args[:1]):
            if re.match(r"^(https?|s3|gs|ftp)://", str(node.args[0].value)):  # type: ignore[attr-defined]
                self._mark_volatile(node, "network", dotted)
        if dotted in ("pandas.to_datetime", "pandas.Timestamp", "numpy.datetime64") and _is_text(node.args[:1]):
            if str(node.args[0].value) in ("now", "today"):  # type: ignore[attr-defined]
                self._mark_volatile(node, "clock", f"{dotted}('{node.args[0].value}')")  # type: ignore[attr-defined]

    def _accessor(self, node: ast.Call, name: str) -> None:
        if len(node.args) >= 2 and _is_text(node.args[1:2]):
            self._understood.add(id(node.func))
            chain = chain_of(node.args[0])
            attribute = str(node.args[1].value)  # type: ignore[attr-defined]
            if attribute in _COMPUTED_ATTRIBUTES:
                self._mark_computed(node, f"{name}(.., {attribute!r})")
            elif chain is not None and chain[0] in self.globals:
                self.reads.add(".".join([*chain, attribute]))
        else:
            self._mark_computed(node, name)

    def _method(self, node: ast.Call, function: ast.Attribute) -> None:
        """Texts in which libraries look up names of the caller: `df.query("a > @LIMIT")`, DuckDB's replacement scans."""
        name = function.attr
        if name in _FILE_METHODS:
            self._mark_volatile(node, "file", f".{name}()")
        looks = name in _NAMES_IN_TEXT or (name in _SQL_METHODS and "duckdb" in self.modules)
        formula = self.modules & {"statsmodels", "patsy", "formulaic", "linearmodels"} and _is_formula(node)
        if not looks and not formula:
            return
        parts = [
            *node.args[:1],
            *[keyword.value for keyword in node.keywords if keyword.arg in ("expr", "query", "sql", "formula")],
        ]
        for part in parts:
            texts = [
                inner.value
                for inner in ast.walk(part)
                if isinstance(inner, ast.Constant) and isinstance(inner.value, str)
            ]
            known = isinstance(part, (ast.Constant, ast.JoinedStr)) and not any(
                isinstance(inner, ast.FormattedValue) for inner in ast.walk(part)
            )
            if not known:
                self._mark_computed(node, f".{name}() with a computed text")
            self.reads.update(word for text in texts for word in WORD.findall(text))

    def _random(self, node: ast.Call, dotted: str) -> None:
        seeded = bool(node.args or node.keywords) and not _is_none([*node.args, *[k.value for k in node.keywords]][:1])
        if dotted in _SEEDERS or dotted in _GENERATORS:
            if not seeded:
                self._mark_volatile(node, "random", f"{dotted}()")
            else:
                self._draw(node, dotted, True)
            return
        state = [keyword for keyword in node.keywords if keyword.arg in ("random_state", "seed", "rng")]
        own = bool(state) and not _is_none([state[0].value])
        if dotted.startswith(_DRAWS) and dotted not in _NO_DRAWS:
            if dotted.startswith("scipy.stats.") and not dotted.endswith(".rvs"):
                return
            self._draw(node, dotted, own)
        elif _WITH_RANDOM_STATE.match(dotted):
            self._draw(node, dotted, own)
        elif (
            isinstance(node.func, ast.Attribute)
            and node.func.attr in ("sample", "rvs")
            and not dotted.startswith("random")
        ):
            self._draw(node, f".{node.func.attr}()", own)

    def _draw(self, node: ast.AST, what: str, seeded: bool) -> None:
        self.draws.append([what, self.source.place(node), seeded])

    def _mark_computed(self, node: ast.AST, what: str) -> None:
        if self._first(node, "computed"):
            self.computed.append([what, self.source.place(node)])

    def _mark_volatile(self, node: ast.AST, kind: str, what: str) -> None:
        if self._first(node, kind):
            self.volatile.append([kind, what, getattr(node, "lineno", 1)])

    def _first(self, node: ast.AST, kind: str) -> bool:
        key = (getattr(node, "lineno", 1), kind)
        if key in self._seen:
            return False
        self._seen.add(key)
        return True


@functools.lru_cache(maxsize=4096)
def _volatile_kind(dotted: str) -> str | None:
    best = ""
    found = None
    for prefix, kind in _VOLATILE:
        fits = (
            dotted.startswith(prefix)
            if prefix.endswith((".", "_"))
            else dotted == prefix or dotted.startswith(prefix + ".")
        )
        if fits and len(prefix) > len(best):
            best, found = prefix, kind
    return found


def _is_text(nodes: list[ast.expr]) -> bool:
    return bool(nodes) and isinstance(nodes[0], ast.Constant) and isinstance(nodes[0].value, str)


def _is_none(nodes: list[ast.expr]) -> bool:
    return bool(nodes) and isinstance(nodes[0], ast.Constant) and nodes[0].value is None


def _is_formula(node: ast.Call) -> bool:
    parts = [*node.args, *[keyword.value for keyword in node.keywords]]
    return any(isinstance(part, ast.Constant) and isinstance(part.value, str) and "~" in part.value for part in parts)
