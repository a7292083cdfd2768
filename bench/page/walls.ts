// Why brumate is behind in a row, where that is known: for the page, beside the figure. A row that brumate is no longer behind in is not shown, so
// that a wall which has fallen disappears by itself.
export const WALLS: Readonly<Record<string, string>> = {}
