// Shortens texts for a model or a client. Owns where they are cut.

/** Keeps the beginning and the end, with a mark between them. @param hint part of the mark: where to find the whole text */
export function cut(text: string, maxLength: number, hint = ''): string {
  if (text.length <= maxLength) return text
  const tail = Math.floor(maxLength / 4)
  const head = maxLength - tail
  const mark = `\n[… ${text.length - maxLength} characters left out${hint} …]\n`
  return `${text.slice(0, head).toWellFormed()}${mark}${text.slice(-tail).toWellFormed()}`
}

/** Keeps the beginning, without a line break; for names and the like. */
export function shorten(text: string, maxLength: number): string {
  return text.length <= maxLength ? text.toWellFormed() : `${text.slice(0, maxLength - 1).toWellFormed()}…`
}
