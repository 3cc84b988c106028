/** Reads what an environment holds from its `dist-info` folders, in one process that imports none of it. */
import { CellmillError } from '../errors.ts'
import type { PythonEnvironment } from './python-environment.ts'
import { runCommand } from './run-command.ts'

const script = `import hashlib, json, os, re, sys, sysconfig
from importlib.metadata import distributions
def norm(name): return re.sub(r"[-_.]+", "-", name).lower()
out = []
site = sysconfig.get_paths()["purelib"]
for d in distributions(path=[site]):
    name = d.metadata["Name"]
    if not name: continue
    files = d.files or []
    top = (d.read_text("top_level.txt") or "").split()
    seen = set(top)
    for f in files:
        parts = f.parts
        if not parts or parts[0] in ("..", "__pycache__") or parts[0].endswith((".dist-info", ".data")): continue
        if len(parts) == 1:
            stem = parts[0].split(".")[0]
            if parts[0].endswith((".py", ".so", ".pyd")) and stem.isidentifier(): seen.add(stem)
        elif parts[0].isidentifier(): seen.add(parts[0])
    requires = list(d.requires or [])
    optional = sorted({norm(re.match(r"[A-Za-z0-9._-]+", r).group(0)) for r in requires if "extra ==" in r.replace("'", '"').replace('extra==', 'extra ==')})
    digest = None
    direct = d.read_text("direct_url.json")
    if direct:
        h = hashlib.sha256(direct.encode())
        url = json.loads(direct).get("url", "")
        root = url[7:] if url.startswith("file://") else None
        if root and os.path.isdir(root):
            for folder, dirs, names in sorted(os.walk(root)):
                dirs[:] = sorted(x for x in dirs if x not in (".git", "__pycache__", ".venv", "node_modules", ".cellmill"))
                for n in sorted(names):
                    if n.endswith(".pyc"): continue
                    p = os.path.join(folder, n)
                    h.update(os.path.relpath(p, root).encode() + b"\\0")
                    with open(p, "rb") as s: h.update(hashlib.sha256(s.read()).digest())
        digest = h.hexdigest()
    out.append({"name": norm(name), "version": d.version, "modules": sorted(seen), "requires": requires, "optional": optional,
                "entryPointGroups": sorted({e.group for e in d.entry_points}), "contentDigest": digest})
out.sort(key=lambda d: d["name"])
print(json.dumps({"python": os.path.join(sys.prefix, "bin", "python"), "prefix": sys.prefix, "basePrefix": sys.base_prefix, "sitePackages": site,
  "version": "%d.%d.%d" % sys.version_info[:3], "platform": sysconfig.get_platform(), "distributions": out, "lockDigest": ""}))`

/** `python` is the environment's own interpreter. Throws PACKAGES_FAILED when it does not work. */
export async function inspectEnvironment(python: string): Promise<PythonEnvironment> {
  const interpreter = python.endsWith('/python') || /python[\d.]*$/.test(python) ? python : `${python}/bin/python`
  const answer = await runCommand(interpreter, ['-I', '-c', script], { timeoutMs: 120_000 }).catch((error: unknown) => {
    throw new CellmillError('PACKAGES_FAILED', `the interpreter ${interpreter} could not be started`, {
      hint: 'cellmill packages sync',
      cause: error,
    })
  })
  if (answer.code !== 0) {
    throw new CellmillError('PACKAGES_FAILED', `the packages of ${interpreter} could not be read`, {
      hint: 'cellmill packages sync',
      details: { stderr: answer.stderr.slice(-2000) },
    })
  }
  return JSON.parse(answer.stdout) as PythonEnvironment
}
