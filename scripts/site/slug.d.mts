/** The name of a heading in links, as GitHub makes it. */
export function slugOf(heading: string): string
