namespace DeviceHub.Tests;

/// <summary>A number that whoever runs a test may set: more rounds, another seed.</summary>
public static class EnvironmentNumber
{
    public static int Of(string variable, int otherwise) => int.TryParse(Environment.GetEnvironmentVariable(variable), out var number) ? number : otherwise;
}
