/**
 * Names and references. A full name is the folder path below `assets/` dotted with the asset's name; a reference takes
 * the shortest unique suffix (`orders` for `staging.orders`). Sources and assets share one space of names.
 */
export type Resolution =
  | { readonly type: 'found'; readonly name: string }
  | { readonly type: 'ambiguous'; readonly names: readonly string[] }
  | { readonly type: 'unknown' }

export class NameIndex {
  readonly #bySuffix: Map<string, Set<string>> = new Map()
  readonly #names: Set<string> = new Set()

  constructor(names: Iterable<string>) {
    for (const name of names) {
      this.#names.add(name)
      const parts = name.split('.')
      for (let i = 0; i < parts.length; i++) {
        const suffix = parts.slice(i).join('.')
        const found = this.#bySuffix.get(suffix)
        if (found) found.add(name)
        else this.#bySuffix.set(suffix, new Set([name]))
      }
    }
  }

  /**
   * `from` is the folder prefix of the referring asset (`staging`): of several candidates the one in the same folder wins,
   * then a full name; otherwise the reference is ambiguous. In Python a dot cannot be written in an argument, so `__` also
   * stands for it (`staging__orders`).
   */
  resolve(reference: string, from: string = ''): Resolution {
    const found = this.#bySuffix.get(reference) ?? this.#bySuffix.get(reference.replaceAll('__', '.'))
    if (!found) return { type: 'unknown' }
    if (found.size === 1) return { type: 'found', name: [...found][0]! }
    if (from !== '' && found.has(`${from}.${reference}`)) return { type: 'found', name: `${from}.${reference}` }
    if (this.#names.has(reference)) return { type: 'found', name: reference }
    return { type: 'ambiguous', names: [...found].sort() }
  }

  [Symbol.iterator](): IterableIterator<string> {
    return this.#names[Symbol.iterator]()
  }
}

/** `staging` for `staging.orders`, '' for `orders`. */
export function folderOf(name: string): string {
  const dot = name.lastIndexOf('.')
  return dot < 0 ? '' : name.slice(0, dot)
}

/** The name below its folder: `orders` of `staging.orders`. */
export function leafOf(name: string): string {
  return name.slice(name.lastIndexOf('.') + 1)
}
