// Names of packages: the canonical form by which they are compared (PEP 503), and which known names are close to an unknown one.
import { editDistance } from '../shared/close-names.js'

export const NAME = /[A-Za-z0-9](?:[A-Za-z0-9._-]*[A-Za-z0-9])?/y

/** `Foo.Bar_baz` and `foo-bar-baz` are one package. */
export function canonicalName(name: string): string {
  return name.replace(/[-_.]+/g, '-').toLowerCase()
}

/** An edit distance up to which a name may be a slip of the pen for another. */
const MAX_DISTANCE = 2
const MAX_SUGGESTIONS = 3

/** Up to three of `known` that may be meant, the closest first. */
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

/** `sklearn` is meant for `scikit-learn` by nobody's rule, but `python-docx` for `docx` is. */
function isPart(name: string, other: string): boolean {
  return (
    name.length > 2 && (other === `python-${name}` || other === `py${name}` || other === `${name}-python`)
  )
}
