/** What jsdom lacks. Everything is taken to be in sight, and nothing ever changes its size. */
class Sight {
  constructor(private readonly tell: IntersectionObserverCallback) {}
  observe(target: Element): void {
    this.tell([{ target, isIntersecting: true } as IntersectionObserverEntry], this as unknown as IntersectionObserver);
  }
  unobserve(): void {}
  disconnect(): void {}
}

class Sizes {
  observe(): void {}
  unobserve(): void {}
  disconnect(): void {}
}

Object.assign(globalThis, {
  IntersectionObserver: Sight,
  ResizeObserver: Sizes,
  matchMedia: () => ({ matches: false, addEventListener: () => undefined, removeEventListener: () => undefined }),
});
Element.prototype.scrollIntoView = () => undefined;
