/** The part of Plotly that we call; its own types are for another build of it. */
declare module "plotly.js-strict-dist-min" {
  const Plotly: {
    newPlot(target: HTMLElement, data: unknown[], layout: object, config: object): Promise<unknown>;
    purge(target: HTMLElement): void;
  };
  export default Plotly;
}
