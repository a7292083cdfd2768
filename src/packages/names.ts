// Names of packages. Owns their canonical form, by which they are compared (PEP 503), and suggestions for unknown names.
import { editDistance } from '../shared/close-names.js'

export const NAME = /[A-Za-z0-9](?:[A-Za-z0-9._-]*[A-Za-z0-9])?/y

/** `Foo.Bar_baz` and `foo-bar-baz` are the same package. */
export function canonicalName(name: string): string {
  return name.replace(/[-_.]+/g, '-').toLowerCase()
}

/** Largest edit distance at which a name may be a misspelling of another. */
const MAX_DISTANCE = 2
const MAX_SUGGESTIONS = 3

/** Up to three names of `known` that may be meant, closest first. */
export function closeNames(name: string, known: Iterable<string>): string[] {
  const found: { readonly name: string; readonly distance: number }[] = []
  const most = name.length < 4 ? 1 : MAX_DISTANCE
  for (const other of known) {
    if (Math.abs(other.length - name.length) > most && !isPart(name, other)) continue
    const distance = isPart(name, other) ? most : editDistance(name, other)
    if (distance <= most) found.push({ name: other, distance })
  }
  found.sort((a, b) => a.distance - b.distance || (a.name < b.name ? -1 : 1))
  return found.slice(0, MAX_SUGGESTIONS).map((one) => one.name)
}

/** Whether `other` is the name with a usual affix, such as `python-docx` for `docx`. No rule leads from `sklearn` to `scikit-learn`. */
function isPart(name: string, other: string): boolean {
  return (
    name.length > 2 && (other === `python-${name}` || other === `py${name}` || other === `${name}-python`)
  )
}
