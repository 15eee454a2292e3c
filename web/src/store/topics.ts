/** Who wants to know about what. A topic is a word such as `order` or `cell:k3v9`: a listener hears only its own. */
export class Topics {
  private readonly listeners = new Map<string, Set<() => void>>();

  /** Returns the function that ends the subscription. */
  on(topic: string, listener: () => void): () => void {
    let set = this.listeners.get(topic);
    if (!set) this.listeners.set(topic, (set = new Set()));
    set.add(listener);
    return () => {
      set.delete(listener);
      if (set.size === 0 && this.listeners.get(topic) === set) this.listeners.delete(topic);
    };
  }

  emit(topic: string): void {
    for (const listener of [...(this.listeners.get(topic) ?? [])]) listener();
  }
}

export const cellTopic = (id: string): string => `cell:${id}`;
