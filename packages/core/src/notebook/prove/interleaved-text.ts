/**
 * What one cell printed, when several steps print parts of it: the notebook's lines must be exactly theirs, each used
 * once and each step's in its order. Blank lines, and spaces at the end of one, are left aside:
 * what stands at the edge of a step's text is trimmed.
 */
const mostPieces = 4

export function isInterleaved(whole: string, pieces: readonly string[]): boolean {
  const wanted = linesOf(whole)
  const lines = pieces.map(linesOf).filter((piece) => piece.length > 0)
  if (lines.length < 2 || lines.length > mostPieces) return false
  if (lines.reduce((sum, piece) => sum + piece.length, 0) !== wanted.length) return false
  let reached = new Map([['', lines.map(() => 0)]])
  for (const line of wanted) {
    const next = new Map<string, number[]>()
    for (const at of reached.values()) {
      lines.forEach((piece, i) => {
        if (piece[at[i]!] !== line) return
        const moved = at.with(i, at[i]! + 1)
        next.set(moved.join(','), moved)
      })
    }
    reached = next
  }
  return reached.size > 0
}

function linesOf(text: string): readonly string[] {
  return text
    .split('\n')
    .map((line) => line.trimEnd())
    .filter((line) => line !== '')
}
