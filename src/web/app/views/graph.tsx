// The neighbourhood of a scope: its strongest referring domains and the links among them. Every node is a link; arrow
// keys go to the linked domain that lies in their direction.

import { forceCollide, forceLink, forceManyBody, forceSimulation, forceX, forceY } from 'd3-force';
import { useEffect, useMemo, useRef, useState } from 'preact/hooks';
import { Param, path, useAnswer } from '../core/api';
import { country, number, t } from '../core/i18n';
import { go, here, href, query, subject } from '../core/route';
import { readableHost } from '../core/text';
import { Domain, Rank } from '../parts/bits';
import { scopeParams } from '../parts/block';
import { Corner } from '../parts/menu';
import { Nothing, Problem, Skeleton } from '../parts/states';

interface Node {
  id: string;
  sr: number;
  links: number;
  ccode: string;
  new: boolean;
  centre: boolean;
  x: number;
  y: number;
}

interface Edge {
  from: string;
  to: string;
  links: number;
}

const SIZES = ['50', '100', '150'];

export function Graph() {
  const size = query.value.get('nodes') ?? '100';
  const params: Param[] = [...scopeParams(), ['nodes', size]];
  const { data, failure, loading } = useAnswer(path('neighbourhood', params));
  const [lit, setLit] = useState<string | null>(null);
  const drawn = useMemo(() => (data ? layout(data.nodes ?? [], data.edges ?? []) : null), [data]);
  if (failure && !loading && ![0, 401, 429, 503].includes(failure.status)) return <Problem failure={failure}>{failure.status === 404 && <p>{t('state.absent.hint')}</p>}</Problem>;
  if (!drawn || !data) return <div class="card"><Skeleton lines={16} class="tall" /></div>;
  const others = drawn.nodes.filter((node) => !node.centre);
  return (
    <section class="graph" aria-label={t('nav.graph')}>
      <header class="listhead">
        <h2>{t('nav.graph')} <span class="total">{t('graph.of', { n: others.length })}, {t('graph.edges', { n: drawn.edges.length })}</span></h2>
        <span class="tools">
          <label class="muted">{t('graph.nodes')} <select value={size} onChange={(event) => go(here({ nodes: event.currentTarget.value }))}>{SIZES.map((one) => <option key={one}>{one}</option>)}</select></label>
          <a class="button" href={path('neighbourhood', [...params, ['format', 'gexf']])} download>GEXF</a>
          <a class="button" href={path('neighbourhood', [...params, ['format', 'graphml']])} download>GraphML</a>
          <Corner title={t('nav.graph')} asked={{ endpoint: 'neighbourhood', params, rows: false }} />
        </span>
      </header>
      {others.length === 0 ? <div class="card"><Nothing data={data} /></div> : (
        <div class="split">
          <div class="card picture"><Picture nodes={drawn.nodes} edges={drawn.edges} box={drawn.box} lit={lit} light={setLit} /><p class="muted">{t('graph.key')}</p></div>
          <div class="card block beside">
            <header><h2>{t('graph.list')}</h2></header>
            <ol class="items">
              {others.toSorted((a, b) => b.sr - a.sr).map((node) => (
                <li key={node.id} data-row tabIndex={-1} class={lit === node.id ? 'lit' : ''} onPointerEnter={() => setLit(node.id)} onPointerLeave={() => setLit(null)}>
                  <Domain name={node.id} /><span class="muted" title={country(node.ccode)}>{node.ccode}</span><span class="figure muted">{t('count.links', { n: node.links })}</span><Rank value={node.sr} />
                </li>
              ))}
            </ol>
          </div>
        </div>
      )}
    </section>
  );
}

const radius = (node: { sr: number; centre: boolean }) => (node.centre ? 16 : 5 + 9 * Math.sqrt(Math.min(10, node.sr) / 10));

/** Places for all nodes, computed to the end before anything is drawn: the same graph looks the same each time. */
function layout(given: Node[], edges: Edge[]): { nodes: Node[]; edges: Edge[]; box: Box } {
  const nodes = given.map((node) => ({ ...node }));
  const ids = new Set(nodes.map((node) => node.id));
  const kept = edges.filter((edge) => ids.has(edge.from) && ids.has(edge.to) && edge.from !== edge.to);
  // The links to the centre are those of all nodes; only the others draw nodes together.
  const centre = nodes.find((node) => node.centre)?.id;
  const among = kept.filter((edge) => edge.from !== centre && edge.to !== centre);
  const strength = 0.12 / Math.max(1, among.length / nodes.length / 3);
  forceSimulation(nodes)
    .force('link', forceLink(among.map((edge) => ({ source: edge.from, target: edge.to }))).id((node: Node) => node.id).distance(90).strength(strength))
    .force('charge', forceManyBody().strength(-420))
    .force('x', forceX(0).strength((node: Node) => (node.centre ? 1 : 0.1)))
    .force('y', forceY(0).strength((node: Node) => (node.centre ? 1 : 0.12)))
    .force('collide', forceCollide((node: Node) => radius(node) + (node.centre ? 34 : 16)))
    .stop()
    .tick(260);
  const xs = nodes.map((node) => node.x);
  const ys = nodes.map((node) => node.y);
  const [left, top] = [Math.min(...xs, -120) - 60, Math.min(...ys, -90) - 30];
  const [right, bottom] = [Math.max(...xs, 120) + 60, Math.max(...ys, 90) + 36];
  return { nodes, edges: kept, box: [left, top, right - left, bottom - top] };
}

type Box = [x: number, y: number, width: number, height: number];
type Label = [x: number, y: number, anchor: 'start' | 'middle' | 'end'];

const apart = (a: Box, b: Box) => a[0] >= b[0] + b[2] || b[0] >= a[0] + a[2] || a[1] >= b[1] + b[3] || b[1] >= a[1] + a[3];

const within = (a: Box, b: Box) => a[0] >= b[0] && a[1] >= b[1] && a[0] + a[2] <= b[0] + b[2] && a[1] + a[3] <= b[1] + b[3];

/** Where names fit: below, above or beside their node, in sight, over no node and no other name. The first nodes have
 *  the choice; the very first one is named in any case. */
function labels(nodes: Node[], all: Node[], size: number, sight: Box): Map<string, Label> {
  const taken: [string, Box][] = all.map((node) => [node.id, [node.x - radius(node), node.y - radius(node), 2 * radius(node), 2 * radius(node)]]);
  const found = new Map<string, Label>();
  for (const { id, x, y, ...node } of nodes) {
    const r = radius(node);
    const width = readableHost(id).length * size * 0.58;
    const places: [Label, Box][] = [
      [[x, y + r + size, 'middle'], [x - width / 2, y + r, width, size * 1.3]],
      [[x, y - r - size * 0.35, 'middle'], [x - width / 2, y - r - size * 1.3, width, size * 1.3]],
      [[x + r + 4, y + size * 0.35, 'start'], [x + r + 2, y - size * 0.65, width + 2, size * 1.3]],
      [[x - r - 4, y + size * 0.35, 'end'], [x - r - width - 4, y - size * 0.65, width + 2, size * 1.3]],
    ];
    const place = places.find(([, box]) => within(box, sight) && taken.every(([other, one]) => other === id || apart(box, one))) ?? (found.size ? undefined : places[0]);
    if (!place) continue;
    found.set(id, place[0]);
    taken.push(['', place[1]]);
  }
  return found;
}

function Picture({ nodes, edges, box, lit, light }: { nodes: Node[]; edges: Edge[]; box: Box; lit: string | null; light: (id: string | null) => void }) {
  const place = new Map(nodes.map((node) => [node.id, node]));
  const near = new Set(lit ? edges.filter((edge) => edge.from === lit || edge.to === lit).flatMap((edge) => [edge.from, edge.to]) : []);
  const svg = useRef<SVGSVGElement>(null);
  // Names are as large on a narrow screen: `unit` is what one pixel shows of the picture, `sight` what all of it shows.
  const [[width, height], setSize] = useState([box[2], box[3]]);
  useEffect(() => {
    const observer = new ResizeObserver(([entry]) => setSize([entry!.contentRect.width || 1, entry!.contentRect.height || 1]));
    observer.observe(svg.current!);
    return () => observer.disconnect();
  }, []);
  const unit = Math.max(box[2] / width, box[3] / height);
  const sight: Box = [box[0] + (box[2] - width * unit) / 2, box[1] + (box[3] - height * unit) / 2, width * unit, height * unit];
  const size = 11.5 * unit;
  const named = useMemo(() => {
    const first = (node: Node) => (node.id === lit ? 2 : node.centre ? 1 : 0);
    const wanted = nodes.filter((node) => !lit || node.id === lit || near.has(node.id)).sort((a, b) => first(b) - first(a) || b.sr - a.sr);
    return labels(wanted, nodes, size, sight);
  }, [nodes, lit, size]);
  const most = Math.max(1, ...edges.map((edge) => edge.links));
  const walk = (event: KeyboardEvent, node: Node) => {
    const ways: Record<string, [number, number]> = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };
    const way = ways[event.key];
    if (!way) return;
    event.preventDefault();
    const linked = new Set(edges.flatMap((edge) => (edge.from === node.id ? [edge.to] : edge.to === node.id ? [edge.from] : [])));
    const score = (other: Node) => {
      const [dx, dy] = [other.x - node.x, other.y - node.y];
      return (dx * way[0] + dy * way[1]) / (Math.hypot(dx, dy) || 1);
    };
    const next = nodes.filter((other) => linked.has(other.id) && score(other) > 0.3).sort((a, b) => score(b) / Math.hypot(b.x - node.x, b.y - node.y) - score(a) / Math.hypot(a.x - node.x, a.y - node.y))[0];
    const target = next && [...(event.currentTarget as Element).closest('svg')!.querySelectorAll<SVGAElement>('a')].find((anchor) => anchor.dataset.node === next.id);
    target?.focus();
  };
  return (
    <svg ref={svg} class={edges.length > 300 ? 'net dense' : 'net'} viewBox={box.join(' ')} role="group" aria-label={t('graph.label', { name: subject.value })}>
      <g aria-hidden="true">
        {edges.map((edge) => {
          const [a, b] = [place.get(edge.from)!, place.get(edge.to)!];
          return <line key={`${edge.from} ${edge.to}`} class={lit && (edge.from === lit || edge.to === lit) ? 'lit' : ''} x1={a.x} y1={a.y} x2={b.x} y2={b.y} stroke-width={0.7 + (2.3 * Math.log1p(edge.links)) / Math.log1p(most)} />;
        })}
      </g>
      {nodes.map((node) => {
        const r = radius(node);
        return (
          <a key={node.id} href={href({ url: node.id })} data-node={node.id} class={`node${node.centre ? ' centre' : ''}${node.new ? ' fresh' : ''}${lit && lit !== node.id && !near.has(node.id) ? ' dim' : ''}`}
            aria-label={`${readableHost(node.id)}, ${t('field.sr')} ${number(node.sr, 2)}, ${t('count.links', { n: node.links })}`}
            onKeyDown={(event) => walk(event, node)} onFocus={() => light(node.id)} onBlur={() => light(null)} onPointerEnter={() => light(node.id)} onPointerLeave={() => light(null)}>
            <circle cx={node.x} cy={node.y} r={Math.max(r, 12)} class="reach" />
            <circle cx={node.x} cy={node.y} r={r} />
          </a>
        );
      })}
      <g aria-hidden="true" font-size={size} stroke-width={3 * unit}>
        {[...named].map(([id, [x, y, anchor]]) => <text key={id} x={x} y={y} text-anchor={anchor}>{readableHost(id)}</text>)}
      </g>
    </svg>
  );
}
