/** Raised only when what the author's code sees through a codec changes; part of every Python and TypeScript recipe. */
export const codecVersion = 1
