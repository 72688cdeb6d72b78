// The part of d3-force that the graph view uses.

declare module 'd3-force' {
  type Of<T> = (node: any) => T;
  interface Force {
    id(id: Of<string>): this;
    distance(distance: number): this;
    strength(strength: number | Of<number>): this;
  }
  interface Simulation {
    force(name: string, force: Force): this;
    stop(): this;
    tick(ticks: number): this;
  }
  export function forceSimulation(nodes: object[]): Simulation;
  export function forceLink(links: object[]): Force;
  export function forceManyBody(): Force;
  export function forceX(x: number): Force;
  export function forceY(y: number): Force;
  export function forceCollide(radius: Of<number>): Force;
}
