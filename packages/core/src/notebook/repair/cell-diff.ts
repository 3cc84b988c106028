/** A unified diff of one cell. Cells are short, so the longest common subsequence by lines is computed plainly. */
export function cellDiff(
  notebook: string,
  cell: number,
  texts: { readonly before: string; readonly after: string },
): string {
  const before = texts.before.split('\n')
  const after = texts.after.split('\n')
  const lines = diffLines(before, after)
  return [
    `--- ${notebook} cell ${cell}`,
    `+++ ${notebook} cell ${cell}, repaired`,
    `@@ -1,${before.length} +1,${after.length} @@`,
    ...lines,
  ].join('\n')
}

/** Lines with ` `, `-` or `+` in front. */
export function diffLines(before: readonly string[], after: readonly string[]): readonly string[] {
  const width = after.length + 1
  const lengths = new Uint32Array((before.length + 1) * width)
  for (let i = before.length - 1; i >= 0; i--) {
    for (let j = after.length - 1; j >= 0; j--) {
      lengths[i * width + j] =
        before[i] === after[j]
          ? lengths[(i + 1) * width + j + 1]! + 1
          : Math.max(lengths[(i + 1) * width + j]!, lengths[i * width + j + 1]!)
    }
  }
  const lines: string[] = []
  let [i, j] = [0, 0]
  while (i < before.length || j < after.length) {
    if (i < before.length && j < after.length && before[i] === after[j]) {
      lines.push(` ${before[i]}`)
      i++
      j++
    } else if (
      j >= after.length ||
      (i < before.length && lengths[(i + 1) * width + j]! >= lengths[i * width + j + 1]!)
    ) {
      lines.push(`-${before[i++]}`)
    } else lines.push(`+${after[j++]}`)
  }
  return lines
}
