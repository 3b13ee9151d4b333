export default function Page() {
  return <div>overview</div>;
}
