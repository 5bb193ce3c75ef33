"""Prints admissions of invented patients, a message after the other, to try a connection with."""

import sys

MESSAGE = (
    "MSH|^~\\&|HIS|CENTRAL|HUB|CENTRE|20260302091512+0800||ADT^A01^ADT_A01|MANY{n}|P|2.5.1"
    "||||||UNICODE UTF-8\r"
    "EVN|A01|20260302091510+0800\r"
    "PID|1||{n:08}^^^CENTRAL^MR||试{n}^一||19700101|F\r"
    "PV1|1|I|A^1^{n}||||||||||||||||V{n}^^^CENTRAL^VN\r"
)

if __name__ == "__main__":
    for number in range(1, int(sys.argv[1]) + 1):
        sys.stdout.write(MESSAGE.format(n=number))
