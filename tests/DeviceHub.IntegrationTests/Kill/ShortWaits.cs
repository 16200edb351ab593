namespace DeviceHub.IntegrationTests.Kill;

/// <summary>
/// Options that let the strangest payment be over in seconds: the hub's waits in proportion to the Sandbox's, so that every rule of the
/// Sandbox still happens (an answer lost, a charge after the last reversal).
/// </summary>
internal static class ShortWaits
{
    public static readonly string[] Payments =
    [
        "--Payments:PayDeadline=00:00:01", "--Payments:QueryDeadline=00:00:01",
        "--Payments:QueryWaits:0=00:00:00", "--Payments:QueryWaits:1=00:00:00.2", "--Payments:QueryWaits:2=00:00:00.4",
        "--Payments:PendingWait=00:00:00.3", "--Payments:PendingLimit=00:00:03", "--Payments:UnknownLimit=00:00:01",
        "--Payments:ReverseNotBefore=00:00:00.5", "--Payments:CodeLifetime=00:00:01", "--Payments:NotFoundMargin=00:00:00.5",
        "--Payments:LateChecks:0=00:00:03", "--Payments:LateChecks:1=00:00:08",
        "--Payments:SweepEvery=00:00:00.2", "--Payments:SweepGrace=00:00:00.5",
    ];

    public static readonly string[] Sandbox =
    [
        "--Sandbox:PasswordAfter=00:00:00.5", "--Sandbox:TimeoutAfter=00:00:01.5", "--Sandbox:DelayedAfter=00:00:01.5",
        "--Sandbox:LateAfter=00:00:04", "--Sandbox:SlowAfter=00:00:00.5", "--Sandbox:Latency=00:00:00.02",
    ];
}
