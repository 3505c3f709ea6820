import { cleanText } from '../clean-text.js';
import type { Block, ExtractedDocument } from '../extracted-document.js';
import { ParseFailure } from '../parse-failure.js';
import { Pictures } from '../pictures.js';
import { findAll, parseXml } from '../xml.js';
import { ZipArchive } from '../zip-archive.js';
import { type Relation, relationsOf, titleOf } from './open-xml.js';
import { readSlide, textOf } from './slide.js';

const PRESENTATION = 'ppt/presentation.xml';

/**
 * Reads a presentation: each slide is a page, its title a heading, and its notes follow it. What stands on every
 * slide (number, date, foot) is left out, and so are slides that are not shown.
 * @throws ParseFailure corrupt-file, no-text, too-complex
 */
export function parsePptx(bytes: Uint8Array, { maxPages }: { maxPages: number }): ExtractedDocument {
  const archive = ZipArchive.open(bytes);
  const relations = relationsOf(archive, PRESENTATION);
  const slides = [...findAll(parseXml(archive.get(PRESENTATION)), 'p:sldId')].flatMap(
    (slide) => relations.get(slide.getAttribute('r:id') ?? '') ?? [],
  );
  if (slides.length > maxPages) throw new ParseFailure('too-complex');
  const deck = new Deck(archive);
  slides.forEach(({ target }, index) => deck.read(target, index + 1));
  const { pictures } = deck;
  // A slide that holds nothing but its foot still says that.
  const blocks = deck.blocks.length > 0 || pictures.found.length > 0 ? deck.blocks : deck.footers();
  if (blocks.length === 0 && pictures.found.length === 0) throw new ParseFailure('no-text');
  return {
    format: 'pptx',
    title: titleOf(archive),
    pageCount: slides.length,
    blocks,
    warnings: pictures.warnings,
    pictures: pictures.found,
  };
}

class Deck {
  readonly blocks: Block[] = [];
  readonly pictures = new Pictures();
  private readonly feet = new Map<string, number>();

  constructor(private readonly archive: ZipArchive) {}

  read(part: string, page: number): void {
    const root = parseXml(this.archive.get(part));
    if (root.getAttribute('show') === '0') return;
    const relations = relationsOf(this.archive, part);
    const { blocks, footers, pictures, diagrams } = readSlide(root, page);
    const start = this.blocks.length;
    this.blocks.push(...blocks);
    for (const foot of footers) if (!this.feet.has(foot)) this.feet.set(foot, page);
    for (const diagram of diagrams) this.readDiagram(relations.get(diagram), page);
    for (const { reference, after } of pictures) {
      const target = relations.get(reference)?.target;
      const bytes = target === undefined ? undefined : this.archive.read(target);
      if (bytes) this.pictures.add(bytes, start + after, page);
    }
    this.readNotes(relations, page);
  }

  /** The foot of every slide, once. */
  footers(): Block[] {
    return [...this.feet].map(([text, page]) => ({ kind: 'paragraph', text, page, box: null }));
  }

  private readDiagram(relation: Relation | undefined, page: number): void {
    const content = relation && this.archive.read(relation.target);
    if (!content) return;
    for (const point of findAll(parseXml(content), 'dgm:pt')) {
      const text = cleanText([...findAll(point, 'a:p')].map(textOf).join(' '));
      if (text !== '') this.blocks.push({ kind: 'list-item', text, page, box: null });
    }
  }

  private readNotes(relations: ReadonlyMap<string, Relation>, page: number): void {
    const notes = [...relations.values()].find(({ type }) => type === 'notesSlide');
    const content = notes && this.archive.read(notes.target);
    if (!content) return;
    const { blocks } = readSlide(parseXml(content), page);
    const texts = blocks.map((block): Block =>
      block.kind === 'list-item' ? { ...block, kind: 'paragraph' } : block,
    );
    if (texts.length === 0) return;
    this.blocks.push({ kind: 'heading', level: 2, text: 'Notes', page, box: null }, ...texts);
  }
}
