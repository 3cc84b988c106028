/** Assets that point elsewhere after a publish than before, in order. Pure. */
import type { PointerRecord } from '../catalog/catalog.ts'

export function movedAssets(before: Iterable<PointerRecord>, after: Iterable<PointerRecord>): readonly string[] {
  const snapshotOf = (pointers: Iterable<PointerRecord>): ReadonlyMap<string, string> =>
    new Map([...pointers].map(({ asset, snapshotId }) => [asset, snapshotId]))
  const [was, is] = [snapshotOf(before), snapshotOf(after)]
  return [...new Set([...was.keys(), ...is.keys()])].filter((asset) => was.get(asset) !== is.get(asset)).sort()
}
