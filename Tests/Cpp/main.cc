void thrown();
void answered();
int main() {
  thrown();
  answered();
}
