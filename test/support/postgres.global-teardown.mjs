export default async function stopTestServer() {
  await globalThis.stopNavigatorTestServer?.();
}
