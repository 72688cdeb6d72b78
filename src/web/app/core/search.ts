// The search of the help: titles and headings first, then the passages that hold all words.

export interface Found {
  address: string;
  title: string;
  /** The title of the page that a heading is in. */
  within: string;
  about?: string;
  /** What is around the first word that was found: before it, the word itself, and after it. */
  passage?: [string, string, string];
}

export interface Section extends Found {
  text: string;
  /** Sections with a lower one are found first. */
  order: number;
}

const MOST_TITLES = 40;
const MOST_SECTIONS = 30;
const AROUND = 60;

const wordsOf = (text: string) => text.toLowerCase().split(/\s+/).filter(Boolean);

/** Titles and headings that hold all words; a heading has at least one that its page's title lacks. */
export function findTitles(titles: Found[], text: string): Found[] {
  const words = wordsOf(text);
  const holds = (where: string) => words.every((word) => where.toLowerCase().includes(word));
  const pages = titles.filter((one) => !one.within && holds(`${one.title} ${one.about ?? ''}`));
  const headings = titles.filter((one) => one.within && holds(`${one.title} ${one.within}`) && words.some((word) => one.title.toLowerCase().includes(word)));
  return [...pages, ...headings].slice(0, MOST_TITLES);
}

/** Sections that hold words that begin with all of these: by their order, and then those with most of them first. */
export function findSections(sections: Section[], text: string): Found[] {
  const patterns = wordsOf(text).map((word) => new RegExp(`(?<![\\p{L}\\p{N}])${word.replace(/[.*+?^${}()|[\]\\]/g, '\\$&')}`, 'giu'));
  const scored = sections.flatMap((section) => {
    const counts = patterns.map((pattern) => [...`${section.title} ${section.within} ${section.text}`.matchAll(pattern)].length);
    return counts.includes(0) ? [] : [{ section, score: Math.min(...counts) }];
  });
  return scored.sort((a, b) => a.section.order - b.section.order || b.score - a.score).slice(0, MOST_SECTIONS).map(({ section: { text: whole, order: _, ...section } }) => ({ ...section, passage: passage(whole, patterns) }));
}

function passage(text: string, patterns: RegExp[]): Found['passage'] {
  const match = patterns.map((pattern) => [...text.matchAll(pattern)][0]).find(Boolean);
  if (!match) return undefined;
  const [from, to] = [match.index, match.index + match[0].length];
  const begin = from > AROUND ? text.indexOf(' ', from - AROUND) + 1 : 0;
  const end = to + AROUND < text.length ? text.lastIndexOf(' ', to + AROUND) : text.length;
  return [(begin ? '… ' : '') + text.slice(begin, from).trimStart(), match[0], text.slice(to, Math.max(to, end)) + (end < text.length ? ' …' : '')];
}
