/** What is done now and then, by many processes and not at once. */

/** Of an interval, at random, so much less or more. */
const JITTER = 0.2;

/** Until it is disposed of; the first time after about one interval. @param act must not throw. */
export function sometimes(everyMs: number, act: () => void): Disposable {
  let timer: NodeJS.Timeout;
  const next = () => {
    const wait = everyMs * (1 + JITTER * (2 * Math.random() - 1));
    timer = setTimeout(() => {
      act();
      next();
    }, wait).unref();
  };
  next();
  return { [Symbol.dispose]: () => clearTimeout(timer) };
}
