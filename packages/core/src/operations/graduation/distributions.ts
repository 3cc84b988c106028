/**
 * Names under which imports are installed, where the two differ. Used once, for a notebook whose packages are not
 * installed yet; as soon as they are, the interpreter's own metadata decides.
 */
const renamed: Readonly<Record<string, string>> = {
  bs4: 'beautifulsoup4',
  cv2: 'opencv-python-headless',
  dateutil: 'python-dateutil',
  docx: 'python-docx',
  dotenv: 'python-dotenv',
  fitz: 'pymupdf',
  google: 'google-api-core',
  IPython: 'ipython',
  jose: 'python-jose',
  jwt: 'pyjwt',
  Levenshtein: 'levenshtein',
  magic: 'python-magic',
  mpl_toolkits: 'matplotlib',
  MySQLdb: 'mysqlclient',
  OpenSSL: 'pyopenssl',
  PIL: 'pillow',
  psycopg2: 'psycopg2-binary',
  pylab: 'matplotlib',
  serial: 'pyserial',
  skimage: 'scikit-image',
  sklearn: 'scikit-learn',
  umap: 'umap-learn',
  yaml: 'pyyaml',
}

export function distributionOf(module: string): string {
  const top = module.split('.')[0]!
  return renamed[top] ?? top.toLowerCase().replaceAll('_', '-')
}

/** PEP 503. */
export function normalName(name: string): string {
  return name.toLowerCase().replaceAll(/[-_.]+/g, '-')
}

/** Names in a requirements file, normalised; options, links and comments are passed over. */
export function requirementNames(text: string): ReadonlySet<string> {
  const names = text.split('\n').flatMap((line) => /^\s*([A-Za-z0-9][\w.-]*)/.exec(line)?.[1] ?? [])
  return new Set(names.map(normalName))
}
