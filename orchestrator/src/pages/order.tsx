export default function Page() {
  return <div>order</div>;
}
