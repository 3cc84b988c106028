/** Reads what an environment holds from its `dist-info` folders, in one process that imports none of it. */
import { existsSync, statSync } from 'node:fs'
import path from 'node:path'
import { CellmillError } from '../errors.ts'
import type { PythonEnvironment } from './python-environment.ts'
import { runCommand } from './run-command.ts'

const script = String.raw`import hashlib, json, os, re, sys, sysconfig
from importlib.metadata import distributions
SKIPPED = {".git", "__pycache__", ".venv", "node_modules", ".cellmill"}

def normal(name):
    return re.sub(r"[-_.]+", "-", name).lower()

def modules_of(found):
    seen = set((found.read_text("top_level.txt") or "").split())
    for file in found.files or []:
        first = file.parts[0] if file.parts else ".."
        if first in ("..", "__pycache__") or first.endswith((".dist-info", ".data")):
            continue
        stem = first.split(".")[0]
        if len(file.parts) > 1 and first.isidentifier():
            seen.add(first)
        elif len(file.parts) == 1 and first.endswith((".py", ".so", ".pyd")) and stem.isidentifier():
            seen.add(stem)
    return sorted(seen)

def content_of(found):
    direct = found.read_text("direct_url.json")
    if not direct:
        return None
    digest = hashlib.sha256(direct.encode())
    url = json.loads(direct).get("url", "")
    root = url[7:] if url.startswith("file://") else None
    if root and os.path.isdir(root):
        for folder, folders, names in os.walk(root):
            folders[:] = sorted(set(folders) - SKIPPED)
            for name in sorted(names):
                path = os.path.join(folder, name)
                if name.endswith(".pyc") or not os.path.isfile(path):
                    continue
                digest.update(os.path.relpath(path, root).encode() + b"\0")
                with open(path, "rb") as stream:
                    digest.update(hashlib.sha256(stream.read()).digest())
    return digest.hexdigest()

def describe(found):
    requires = list(found.requires or [])
    extras = [r for r in requires if re.search(r"\bextra\s*==", r)]
    named = [re.match(r"[A-Za-z0-9][A-Za-z0-9._-]*", r.strip()) for r in extras]
    return {
        "name": normal(found.metadata["Name"]),
        "version": found.version,
        "modules": modules_of(found),
        "requires": requires,
        "optional": sorted({normal(match.group(0)) for match in named if match}),
        "entryPointGroups": sorted({point.group for point in found.entry_points}),
        "contentDigest": content_of(found),
    }

paths = sysconfig.get_paths()
places = list(dict.fromkeys(os.path.realpath(paths[name]) for name in ("purelib", "platlib")))
all_found = {}
for found in distributions(path=places):
    if found.metadata["Name"]:
        described = describe(found)
        all_found.setdefault(described["name"], described)
print(json.dumps({
    "python": sys.executable,
    "prefix": sys.prefix,
    "basePrefix": sys.base_prefix,
    "sitePackages": paths["purelib"],
    "version": "%d.%d.%d" % sys.version_info[:3],
    "platform": sysconfig.get_platform(),
    "distributions": sorted(all_found.values(), key=lambda described: described["name"]),
    "lockDigest": "",
}))`

/** Takes the environment's folder or its interpreter. Throws PACKAGES_FAILED when it does not work. */
export async function inspectEnvironment(folderOrPython: string): Promise<PythonEnvironment> {
  const interpreter = interpreterOf(path.resolve(folderOrPython))
  const failed = (message: string, details: Readonly<Record<string, unknown>>, cause?: unknown): CellmillError =>
    new CellmillError('PACKAGES_FAILED', message, { hint: 'cellmill packages sync', details, cause })
  const answer = await runCommand(interpreter, ['-I', '-c', script], { timeoutMs: 120_000 }).catch((error: unknown) => {
    throw failed(`The interpreter ${interpreter} could not be started.`, {}, error)
  })
  if (answer.code !== 0) {
    const stderr = answer.stderr.slice(-2000)
    throw failed(`The packages of ${interpreter} could not be read: ${stderr.trim().split('\n').at(-1)}`, { stderr })
  }
  return JSON.parse(answer.stdout) as PythonEnvironment
}

function interpreterOf(file: string): string {
  if (statSync(file, { throwIfNoEntry: false })?.isDirectory() !== true) return file
  const candidates = ['python', 'python3'].map((name) => path.join(file, 'bin', name))
  return candidates.find((candidate) => existsSync(candidate)) ?? path.join(file, 'bin', 'python')
}
