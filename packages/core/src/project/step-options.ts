/** Checks of a step's options, the same for every language. */

/** A name that all languages and SQL can write without quotes. */
export const plainName: RegExp = /^[A-Za-z_]\w*$/
