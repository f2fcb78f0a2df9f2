void thrown();
void answered();
void thrown_coroutines();
void answered_coroutines();
int main() {
  thrown();
  answered();
  thrown_coroutines();
  answered_coroutines();
}
