// The neighbourhood of a scope: its strongest referring domains and the links among them. Every node is a link; arrow
// keys go to the linked domain that lies in their direction.

import { forceCollide, forceLink, forceManyBody, forceSimulation, forceX, forceY } from 'd3-force';
import { useMemo, useState } from 'preact/hooks';
import { Param, path, useAnswer } from '../core/api';
import { country, number, t } from '../core/i18n';
import { go, here, href, query, subject } from '../core/route';
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
function layout(given: Node[], edges: Edge[]): { nodes: Node[]; edges: Edge[]; box: string } {
  const nodes = given.map((node) => ({ ...node }));
  const ids = new Set(nodes.map((node) => node.id));
  const kept = edges.filter((edge) => ids.has(edge.from) && ids.has(edge.to) && edge.from !== edge.to);
  const apart = nodes.length > 60 ? 60 : 130;
  forceSimulation(nodes)
    .force('link', forceLink(kept.map((edge) => ({ source: edge.from, target: edge.to }))).id((node: Node) => node.id).distance(apart).strength(0.12))
    .force('charge', forceManyBody().strength(-apart * 4))
    .force('x', forceX(0).strength((node: Node) => (node.centre ? 1 : 0.06)))
    .force('y', forceY(0).strength((node: Node) => (node.centre ? 1 : 0.1)))
    .force('collide', forceCollide((node: Node) => radius(node) + 8))
    .stop()
    .tick(260);
  const xs = nodes.map((node) => node.x);
  const ys = nodes.map((node) => node.y);
  const [left, top] = [Math.min(...xs, -120) - 60, Math.min(...ys, -90) - 30];
  const [right, bottom] = [Math.max(...xs, 120) + 60, Math.max(...ys, 90) + 36];
  return { nodes, edges: kept, box: `${left} ${top} ${right - left} ${bottom - top}` };
}

function Picture({ nodes, edges, box, lit, light }: { nodes: Node[]; edges: Edge[]; box: string; lit: string | null; light: (id: string | null) => void }) {
  const place = new Map(nodes.map((node) => [node.id, node]));
  const near = new Set(lit ? edges.filter((edge) => edge.from === lit || edge.to === lit).flatMap((edge) => [edge.from, edge.to]) : []);
  const named = new Set(nodes.toSorted((a, b) => b.sr - a.sr).slice(0, nodes.length > 60 ? 24 : 60).map((node) => node.id));
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
    <svg class="net" viewBox={box} role="group" aria-label={t('graph.label', { name: subject.value })}>
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
            aria-label={`${node.id}, ${t('field.sr')} ${number(node.sr, 2)}, ${t('count.links', { n: node.links })}`}
            onKeyDown={(event) => walk(event, node)} onFocus={() => light(node.id)} onBlur={() => light(null)} onPointerEnter={() => light(node.id)} onPointerLeave={() => light(null)}>
            <circle cx={node.x} cy={node.y} r={Math.max(r, 12)} class="reach" />
            <circle cx={node.x} cy={node.y} r={r} />
            {(named.has(node.id) || lit === node.id || near.has(node.id)) && <text x={node.x} y={node.y + r + 13} text-anchor="middle">{node.id}</text>}
          </a>
        );
      })}
    </svg>
  );
}
