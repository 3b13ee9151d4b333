export default function Page() {
  return <div>orders</div>;
}
