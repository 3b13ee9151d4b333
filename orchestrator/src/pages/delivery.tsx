export default function Page() {
  return <div>delivery</div>;
}
