// The site's settings for VitePress. scripts/site.mjs copies this file beside the pages, with their order in sidebar.json.
import { readFileSync } from 'node:fs'
import { slugOf } from './slug.mjs'

const sidebar = JSON.parse(readFileSync(new URL('sidebar.json', import.meta.url), 'utf8'))

export default {
  title: 'brumate',
  description: 'Untrusted Python inside a Node server: sessions of full CPython that keep their state.',
  lang: 'en',
  cleanUrls: true,
  markdown: { anchor: { slugify: slugOf } },
  themeConfig: {
    search: { provider: 'local' },
    outline: [2, 3],
    nav: [
      { text: 'Guide', link: '/' },
      { text: 'Reference', link: '/reference/' },
      { text: 'Benchmarks', link: '/benchmarks' },
    ],
    sidebar: { '/reference/': sidebar.reference, '/': sidebar.guide },
  },
}
