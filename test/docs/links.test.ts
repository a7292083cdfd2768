// Links between the pages of the repository: each leads to an existing file, and to an existing heading in it.
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { dirname, join, relative } from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'
import { slugOf } from '../../scripts/site/slug.mjs'

const root = fileURLToPath(new URL('../../', import.meta.url))
const FOLDERS = [
  '.',
  'bench',
  'chaos',
  'docs',
  'examples',
  'examples/docker',
  'examples/restate',
  'test/installs',
]
const pages = FOLDERS.filter((folder) => existsSync(join(root, folder))).flatMap((folder) =>
  readdirSync(join(root, folder))
    .filter((name) => name.endsWith('.md'))
    .map((name) => join(root, folder, name)),
)

/** The anchors of a page's headings. A repeated anchor gets a number. */
function anchorsOf(page: string): ReadonlySet<string> {
  const found = new Map<string, number>()
  const text = readFileSync(page, 'utf8').replaceAll(/^```[\s\S]*?^```/gm, '')
  const anchors = [...text.matchAll(/^#{1,6} +(.+?) *$/gm)].map(([, heading = '']) => {
    const plain = heading.replaceAll(/\[([^\]]*)\]\([^)]*\)/g, '$1').replaceAll(/[`*]/g, '')
    const slug = slugOf(plain)
    const times = found.get(slug) ?? 0
    found.set(slug, times + 1)
    return times === 0 ? slug : `${slug}-${times}`
  })
  return new Set(anchors)
}

test('every link in the repository’s pages leads to an existing file and heading', () => {
  const dead = pages.flatMap((page) => {
    const text = readFileSync(page, 'utf8').replaceAll(/^```[\s\S]*?^```/gm, '')
    const links = [...text.matchAll(/\]\(([^)\s]+)\)/g)].map(([, link = '']) => link)
    return links
      .filter((link) => {
        if (/^[a-z]+:/.test(link)) return false
        const [path = '', anchor] = link.split('#')
        const target = path === '' ? page : join(dirname(page), path)
        if (!existsSync(target)) return true
        return anchor !== undefined && target.endsWith('.md') && !anchorsOf(target).has(anchor)
      })
      .map((link) => `${relative(root, page)}: ${link}`)
  })
  expect(pages.length).toBeGreaterThan(30)
  expect(dead).toEqual([])
})
