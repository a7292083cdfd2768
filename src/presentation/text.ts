// Texts cut to a length for a model or a client to read. Owns where they are cut.

/** Its beginning and its end, with a mark between them. @param hint goes into the mark: where the whole text is */
export function cut(text: string, maxLength: number, hint = ''): string {
  if (text.length <= maxLength) return text
  const tail = Math.floor(maxLength / 4)
  const head = maxLength - tail
  const mark = `\n[… ${text.length - maxLength} characters left out${hint} …]\n`
  return `${text.slice(0, head).toWellFormed()}${mark}${text.slice(-tail).toWellFormed()}`
}

/** For names and the like: its beginning, in one line. */
export function shorten(text: string, maxLength: number): string {
  return text.length <= maxLength ? text.toWellFormed() : `${text.slice(0, maxLength - 1).toWellFormed()}…`
}
