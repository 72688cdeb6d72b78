// A line chart over days with bars of what came and went below it, in SVG: it follows the colours of the page, prints
// sharply, and its points can be walked along with the arrow keys. Every chart has its table.

import { useEffect, useRef, useState } from 'preact/hooks';
import { compact, day, number, shortDay, t, toDate } from '../core/i18n';

export interface Series {
  name: string;
  values: (number | null)[];
}

interface Props {
  label: string;
  dates: number[];
  series: Series[];
  /** `name` says what the upper bars count. */
  bars?: { name: string; up: number[]; down: number[] };
  step: string;
}

const LEFT = 60;
const RIGHT = 12;
const TOP = 10;

export function Chart({ label, dates, series, bars, step }: Props) {
  const box = useRef<HTMLDivElement>(null);
  const [width, setWidth] = useState(0);
  const [at, setAt] = useState<number | null>(null);
  useEffect(() => {
    const observer = new ResizeObserver(([entry]) => setWidth(Math.floor(entry!.contentRect.width)));
    observer.observe(box.current!);
    return () => observer.disconnect();
  }, []);
  const narrow = width < 560;
  const high = narrow ? 130 : 190;
  const low = bars ? (narrow ? 46 : 60) : 0;
  const height = TOP + high + 24 + low;
  const n = dates.length;
  const x = (index: number) => LEFT + ((width - LEFT - RIGHT) * (n > 1 ? index : 0.5)) / Math.max(1, n - 1);
  const values = series.flatMap((one) => one.values.filter((value): value is number => value !== null));
  const [bottom, top, ticks] = scale(Math.min(...values, Infinity), Math.max(...values, 0));
  const y = (value: number) => TOP + high - (high * (value - bottom)) / (top - bottom || 1);
  const most = bars ? Math.max(1, ...bars.up, ...bars.down) : 1;
  const middle = TOP + high + 24 + low / 2;
  const bar = Math.max(1, Math.min(14, (width - LEFT - RIGHT) / Math.max(1, n) - 1));
  const point = (event: { clientX: number }) => {
    const left = box.current!.getBoundingClientRect().left;
    setAt(Math.max(0, Math.min(n - 1, Math.round(((event.clientX - left - LEFT) / (width - LEFT - RIGHT)) * (n - 1)))));
  };
  const walk = (event: KeyboardEvent) => {
    const steps: Record<string, number> = { ArrowLeft: (at ?? n) - 1, ArrowRight: (at ?? -1) + 1, Home: 0, End: n - 1 };
    const next = steps[event.key];
    if (next === undefined) return;
    event.preventDefault();
    setAt(Math.max(0, Math.min(n - 1, next)));
  };
  const when = (index: number) => `${step === 'day' ? '' : `${t(`step.${step}` as 'step.week')} `}${day(dates[index])}`;
  return (
    <div class={`chart${bars ? '' : ' nobars'}`} ref={box} role="group" tabIndex={0} aria-label={`${label}. ${t('chart.keys')}`} onKeyDown={walk} onBlur={() => setAt(null)}
      onPointerMove={point} onPointerDown={point} onPointerLeave={() => setAt(null)}>
      {width > 0 && n > 0 && (
        <svg width={width} height={height} viewBox={`0 0 ${width} ${height}`} aria-hidden="true">
          {ticks.map((tick) => (
            <g key={tick} class="grid"><line x1={LEFT} x2={width - RIGHT} y1={y(tick)} y2={y(tick)} /><text x={LEFT - 8} y={y(tick) + 4} text-anchor="end">{compact(tick)}</text></g>
          ))}
          {marks(dates, narrow ? 4 : 8).map((index) => <text key={index} class="when" x={x(index)} y={TOP + high + 17} text-anchor="middle">{short(dates[index]!, dates)}</text>)}
          {series.map((one, index) => (
            <g key={one.name} class={`series s${index}`}>
              {series.length === 1 && <path class="area" d={`${line(one.values, x, y)} L${x(n - 1)} ${TOP + high} L${x(0)} ${TOP + high} Z`} />}
              {n > 1 ? <path class="line" d={line(one.values, x, y)} /> : one.values[0] !== null && <circle cx={x(0)} cy={y(one.values[0]!)} r="4" />}
              {at !== null && one.values[at] !== null && one.values[at] !== undefined && <circle cx={x(at)} cy={y(one.values[at]!)} r="4" />}
            </g>
          ))}
          {bars && (
            <g class="bars">
              <line x1={LEFT} x2={width - RIGHT} y1={middle} y2={middle} />
              {bars.up.map((value, index) => value > 0 && <rect key={`u${index}`} class="up" x={x(index) - bar / 2} width={bar} y={middle - 1 - (value / most) * (low / 2 - 2)} height={Math.max(1, (value / most) * (low / 2 - 2))} rx="1" />)}
              {bars.down.map((value, index) => value > 0 && <rect key={`d${index}`} class="down" x={x(index) - bar / 2} width={bar} y={middle + 1} height={Math.max(1, (value / most) * (low / 2 - 2))} rx="1" />)}
              <text x={LEFT - 8} y={middle - low / 4 + 4} text-anchor="end">+</text>
              <text x={LEFT - 8} y={middle + low / 4 + 4} text-anchor="end">−</text>
            </g>
          )}
          {at !== null && <line class="cursor" x1={x(at)} x2={x(at)} y1={TOP} y2={height} />}
        </svg>
      )}
      {width === 0 && <div class="reserve" />}
      <p class={`readout${at === null ? ' unseen' : ''}`} aria-live="polite" style={at === null ? undefined : { insetInlineStart: `${Math.min(Math.max(x(at) - 90, 0), Math.max(0, width - 190))}px` }}>
        {at !== null && (
          <>
            <b>{when(at)}</b>
            {series.map((one, index) => <span key={one.name} class={`key s${index}`}>{one.name} <b>{one.values[at] === null || one.values[at] === undefined ? '–' : number(one.values[at]!)}</b></span>)}
            {bars && <span class="up">{bars.name} <b>{number(bars.up[at] ?? 0)}</b></span>}
            {bars && <span class="down">{t('chart.lost')} <b>{number(bars.down[at] ?? 0)}</b></span>}
          </>
        )}
      </p>
    </div>
  );
}

function line(values: (number | null)[], x: (index: number) => number, y: (value: number) => number): string {
  let pen = 'M';
  let out = '';
  values.forEach((value, index) => {
    if (value === null) {
      pen = 'M';
      return;
    }
    out += `${pen}${x(index).toFixed(1)} ${y(value).toFixed(1)}`;
    pen = 'L';
  });
  return out;
}

/** The ends of an axis and round figures between them. The axis begins at zero unless the values are far above it. */
function scale(least: number, most: number): [number, number, number[]] {
  if (!Number.isFinite(least) || most <= 0) return [0, 1, [0, 1]];
  const from = least > most * 0.7 && most > 50 ? least - (most - least) * 0.5 : 0;
  const raw = (most - Math.max(0, from)) / 4 || 1;
  const power = 10 ** Math.floor(Math.log10(raw));
  const size = Math.max(1, [1, 2, 2.5, 5, 10].map((one) => one * power).find((one) => one >= raw)!);
  const bottom = Math.max(0, Math.floor(from / size) * size);
  const top = Math.ceil(most / size) * size;
  const ticks: number[] = [];
  for (let tick = bottom; tick <= top + size / 2; tick += size) ticks.push(tick);
  return [bottom, Math.max(top, bottom + size), ticks];
}

function marks(dates: number[], wanted: number): number[] {
  const n = dates.length;
  if (n < 2) return n ? [0] : [];
  const count = Math.min(wanted, n);
  return Array.from({ length: count }, (_, index) => Math.round(((index + 0.5) * (n - 1)) / count));
}

function short(date: number, dates: number[]): string {
  const span = toDate(dates.at(-1)!).getTime() - toDate(dates[0]!).getTime();
  const options: Intl.DateTimeFormatOptions = span > 1000 * 86_400_000 ? { year: 'numeric', month: 'short' } : span > 200 * 86_400_000 ? { month: 'short' } : { day: 'numeric', month: 'short' };
  return shortDay(date, options);
}
